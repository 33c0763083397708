import { fitForTerminal } from '../../client/errors.ts'
import type { JetonServer } from '../../client/jeton-request.ts'
import { parseJsonObject } from '../../lib/json.ts'
import type { StepFound } from './step.ts'

/** Gets the credential, and describes it. The server that it returns uses it once before it gets another. */
export async function getIdentity(server: JetonServer, now: number): Promise<StepFound<JetonServer>> {
  const header = await server.credential()
  let fresh: string | undefined = header
  const credential = async () => {
    const current = fresh ?? (await server.credential())
    fresh = undefined
    return current
  }
  const [scheme, secret = ''] = header.split(' ')
  const what = server.identity ?? (scheme === 'Bearer' ? 'a JWT' : 'an API key')
  const claims = scheme === 'Bearer' ? claimsNote(secret, now) : ''
  return { detail: `${fitForTerminal(what)}${claims}`, value: { ...server, credential } }
}

/** What a JWT says of itself; nothing of it is verified. */
function claimsNote(jwt: string, now: number): string {
  const [, payload = ''] = jwt.split('.')
  const { iss, sub, exp } = parseJsonObject(Buffer.from(payload, 'base64url')) ?? {}
  const notes = [
    ...(typeof sub === 'string' ? [`subject ${fitForTerminal(sub)}`] : []),
    ...(typeof iss === 'string' ? [`issuer ${fitForTerminal(iss)}`] : []),
    ...(typeof exp === 'number' && exp * 1000 < now
      ? ['which has expired by the clock of this machine']
      : []),
  ]
  return notes.length === 0 ? '' : `: ${notes.join(', ')}`
}
