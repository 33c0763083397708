import { fitForTerminal } from '../../client/errors.ts'
import { type OwnJwt, readOwnJwt } from '../../client/identity/own-jwt.ts'
import type { JetonServer } from '../../client/jeton-request.ts'
import type { StepFound } from './step.ts'

export interface FoundIdentity {
  /** Uses the credential once before it gets another. */
  server: JetonServer
  /** What looks wrong with the caller's JWT, each a sentence; undefined for another credential. */
  problems: readonly string[] | undefined
}

export interface IdentityOptions {
  /** In milliseconds since the epoch. */
  now: number
  /** The audience that the caller means. */
  audience: string
}

/** Gets the credential, and describes it. Nothing of what a JWT says is verified. */
export async function getIdentity(
  server: JetonServer,
  options: IdentityOptions,
): Promise<StepFound<FoundIdentity>> {
  const header = await server.credential()
  let fresh: string | undefined = header
  const credential = async () => {
    const current = fresh ?? (await server.credential())
    fresh = undefined
    return current
  }
  const jwt = readOwnJwt(header, options)
  return {
    detail: `${fitForTerminal(server.identity ?? 'a credential')}${jwtNote(jwt)}`,
    value: { server: { ...server, credential }, problems: jwt?.problems },
  }
}

function jwtNote({ subject, issuer, problems }: Partial<OwnJwt> = {}): string {
  const notes = [
    ...(subject === undefined ? [] : [`subject ${fitForTerminal(subject)}`]),
    ...(issuer === undefined ? [] : [`issuer ${fitForTerminal(issuer)}`]),
    ...(problems ?? []),
  ]
  return notes.length === 0 ? '' : `: ${notes.join('; ')}`
}
