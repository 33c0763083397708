import { listIdentities, type OfferedIdentity, wantedAudience } from '../client/credential.ts'
import { CallerError, errorLine, failure } from '../client/errors.ts'
import { unexpectedAnswer } from '../client/foreign-answer.ts'
import { readOwnJwt } from '../client/identity/own-jwt.ts'
import { type JetonServer, requestJeton } from '../client/jeton-request.ts'
import { isWhoamiReply } from '../client/whoami-reply.ts'
import { printableJson } from '../lib/printable.ts'
import { catchCallerErrors, parseTextOrJson } from './caller-command.ts'
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
export function whoamiCommand(args: WhoamiArguments, context: CallerContext): Promise<number> {
  const { stdout, stderr } = context
  return catchCallerErrors(stderr, async () => {
    const format = parseTextOrJson(args.output)
    const server = await findServer(args, context)
    const { whoami, failed } = await askServer(server, { args, context })
    stdout.write(
      format === 'json' ? `${printableJson(whoami, 2)}\n` : whoamiText(whoami, terminalStyle(stdout)),
    )
    if (!failed) return 0
    stderr.write(errorLine(failed))
    return failed.exitCode
  })
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
    if (!isWhoamiReply(reply.body))
      throw failure(unexpectedAnswer(reply, { host: reply.host, wanted: 'what jeton says of a caller' }))
    const { principal, databases } = reply.body
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
