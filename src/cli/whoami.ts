import { listIdentities, type OfferedIdentity, wantedAudience } from '../client/credential.ts'
import { CallerError, errorLine, failure, invalidUsage } from '../client/errors.ts'
import { unexpectedAnswer } from '../client/foreign-answer.ts'
import { readOwnJwt } from '../client/identity/own-jwt.ts'
import { type JetonServer, requestJeton } from '../client/jeton-request.ts'
import { isWhoamiReply } from '../client/whoami-reply.ts'
import { parseJson } from '../lib/json.ts'
import { printableJson } from '../lib/printable.ts'
import { terminalStyle } from './terminal-style.ts'
import { type CallerContext, findServer, type ServerArguments } from './token-options.ts'
import { type UsedIdentity, type Whoami, whoamiText } from './whoami-text.ts'

export interface WhoamiArguments extends ServerArguments {
  /** `text` (the default) or `json`. */
  output?: string | undefined
}

/**
 * `jeton whoami`: prints whom the server takes the caller for, what it may have tokens for, and how its credential was found. If
 * it gets no such answer, prints what the JWT says of itself and what looks wrong with it, never its signature, and on stderr what
 * failed. Returns the exit code, as `jeton token` does.
 */
export async function whoamiCommand(args: WhoamiArguments, context: CallerContext): Promise<number> {
  const { stdout, stderr } = context
  try {
    const format = parseOutput(args.output ?? 'text')
    const server = await findServer(args, context)
    const { whoami, failed } = await askServer(server, { args, context })
    stdout.write(
      format === 'json' ? `${printableJson(whoami, 2)}\n` : whoamiText(whoami, terminalStyle(stdout)),
    )
    if (!failed) return 0
    stderr.write(errorLine(failed))
    return failed.exitCode
  } catch (cause) {
    stderr.write(errorLine(cause))
    return cause instanceof CallerError ? cause.exitCode : 1
  }
}

function parseOutput(output: string): 'text' | 'json' {
  if (output === 'text' || output === 'json') return output
  throw invalidUsage('-o takes one of text, json')
}

async function askServer(
  server: JetonServer,
  { args, context }: { args: WhoamiArguments; context: CallerContext },
): Promise<{ whoami: Whoami; failed?: CallerError }> {
  const { env, clock } = context
  const identity = usedIdentity(server, listIdentities({ ...context, jwtFile: args.jwt }, server))
  let authorization = ''
  const credential = async () => {
    authorization = await server.credential()
    return authorization
  }
  try {
    const reply = await requestJeton({ path: '/v1/whoami' }, { ...server, credential })
    // the text has no credential in it, which a server could send back
    const body = parseJson(reply.text)
    if (!isWhoamiReply(body))
      throw failure(unexpectedAnswer(reply, { host: reply.host, wanted: 'what jeton says of a caller' }))
    const { principal, databases } = body
    return { whoami: { principal, databases, identity } }
  } catch (cause) {
    if (!(cause instanceof CallerError) || cause.exitCode === 2) throw cause
    const { code, message: detail, requestId } = cause
    const jwt = readOwnJwt(authorization, { now: clock.now(), audience: wantedAudience(env) })
    const error = { code, detail, requestId }
    return { whoami: { principal: null, error, identity, ...(jwt && { jwt }) }, failed: cause }
  }
}

function usedIdentity(
  { identity = '' }: JetonServer,
  [, ...others]: readonly OfferedIdentity[],
): UsedIdentity {
  const usable = others.filter(({ lacks }) => lacks === undefined)
  return { description: identity, ignored: usable.map(({ description }) => description) }
}
