import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { clientFamily } from '../../client/client-family.ts'
import { wantedAudience } from '../../client/credential.ts'
import { CallerError, failure } from '../../client/errors.ts'
import type { JetonServer } from '../../client/jeton-request.ts'
import { isTokenRefused } from '../../client/login-probe/find-refusal.ts'
import { ProbeError } from '../../client/login-probe/probe-error.ts'
import { requestToken, type TokenRequestBody } from '../../client/request-token.ts'
import type { TokenReply } from '../../client/token-reply.ts'
import { monotonicClock } from '../../lib/clock.ts'
import { withTimeout } from '../../lib/deadline.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { systemCode, systemCodeNote } from '../../lib/system-error.ts'
import { type CallerContext, findServer, type ServerArguments } from '../token-options.ts'
import { type ConnectionOptions, openConnection, type SecureConnection } from './connection.ts'
import { getIdentity } from './identity.ts'
import { createStepRunner, type StepRow, type StepWatch } from './step.ts'
import { connectTarget } from './target.ts'

export interface ExaminationArguments extends ServerArguments {
  database: string
  user?: string | undefined
  /** A file with a CA bundle to verify the database with, instead of the server's. */
  ca?: string | undefined
  timeoutMs: number
}

/** What an examination knows so far, for whoever explains where it failed. */
export interface Findings {
  /** What looks wrong with the caller's JWT. */
  jwtProblems?: readonly string[]
  reply?: TokenReply
  target?: { host: string; port: number }
}

/**
 * Goes the way of a login step by step, and passes each on as it ends. Throws StepFailed at the first that fails, and
 * CallerError for what is wrong before the first. Sends the token to a verified server alone.
 */
export async function examine(
  args: ExaminationArguments,
  { context, watch, findings }: { context: CallerContext; watch: StepWatch; findings: Findings },
): Promise<void> {
  const server = await findServer(args, context)
  const caPem = args.ca === undefined ? undefined : await readBundle(args.ca)
  const run = createStepRunner({ ...watch, clock: monotonicClock(), describeFailure: describeStepFailure })

  const { server: known, problems } = await run('identity', () =>
    getIdentity(server, {
      now: context.clock.now(),
      audience: wantedAudience(context.env),
    }),
  )
  findings.jwtProblems = problems
  const body = { database: args.database, user: args.user, ...(caPem === undefined && { caPem: true }) }
  const reply = await run('token', async () => {
    const value = await requestToken(body, known)
    // throws for an engine that this version does not know
    clientFamily(value)
    return { detail: describeReply(value), value }
  })
  findings.reply = reply
  const target = connectTarget(reply)
  findings.target = target
  const address = await run('dns', () =>
    findAddress(target.host, { lookup: context.lookup, clock: context.clock, timeoutMs: args.timeoutMs }),
  )
  const options = {
    address,
    port: target.port,
    ca: caPem ?? reply.ca?.pem ?? '',
    timeoutMs: args.timeoutMs,
    clock: context.clock,
  }
  const plain = await run('tcp', async () => {
    const value = await openConnection(reply, options)
    return { detail: `connected to ${address}, port ${target.port}`, value }
  })
  const secure = await run('tls', async () => {
    const value = await plain.startTls()
    return { detail: value.detail, value }
  })
  const loggedIn = await run('login', () => logIn(secure, { reply, body, options, server: known }))
  await run('query', async () => {
    const user = await loggedIn.queryUser()
    return { detail: `current_user is ${user}`, value: undefined }
  })
  loggedIn.close()
}

async function readBundle(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(cause => {
    throw failure(`cannot read the CA bundle ${path}${systemCodeNote(cause)}`, cause)
  })
}

function describeReply({ user, host, port, expiresIn, cached }: TokenReply & { cached?: unknown }): string {
  const minutes = expiresIn === undefined ? '' : `, good for ${Math.max(0, Math.floor(expiresIn / 60))} min`
  return `for ${user} at ${host}:${port}${minutes}${cached === true ? ', from the cache' : ''}`
}

async function findAddress(
  host: string,
  { lookup, clock, timeoutMs }: Pick<CallerContext, 'lookup' | 'clock'> & { timeoutMs: number },
) {
  if (isIP(host) !== 0) return { detail: `${host} is an address`, value: host }
  const timedOut = () => new ProbeError(`no answer within ${timeoutMs / 1000} s`, { failure: 'timeout' })
  const { address } = await withTimeout(() => lookup(host), { clock, timeoutMs, timedOut })
  return { detail: `${host} is ${address}`, value: address }
}

interface LoginParts {
  reply: TokenReply
  body: TokenRequestBody
  options: ConnectionOptions
  server: JetonServer
}

/** If the token is refused, asks jeton once for another, and tries that on a connection of its own. */
async function logIn(secure: SecureConnection, { reply, body, options, server }: LoginParts) {
  try {
    await secure.logIn(reply)
    return { detail: `as ${reply.user}`, value: secure }
  } catch (cause) {
    if (!(cause instanceof ProbeError) || !isTokenRefused(cause)) throw cause
    const first = cause.message
    const { token, fingerprint = sha256Hex(token) } = reply
    const refused = (note: string) =>
      new ProbeError(`${first}; ${note}`, { failure: 'refused', code: cause.code, cause })
    const another = await requestToken({ ...body, refused: fingerprint }, { ...server, waitMs: 0 }).catch(
      failed => {
        if (!(failed instanceof CallerError)) throw failed
        throw refused(`reported to jeton, which has no other token yet: ${failed.message}`)
      },
    )
    if (another.token === token) throw refused('reported to jeton, which has no other token yet')
    const again = await (await openConnection(another, options)).startTls()
    await again.logIn(another).catch(second => {
      throw second instanceof ProbeError && isTokenRefused(second)
        ? refused('reported to jeton, whose next token was refused, too')
        : second
    })
    return {
      detail: `as ${another.user}, with the next token only: the first was refused (${first}), and is now reported to jeton`,
      value: again,
    }
  }
}

function describeStepFailure(cause: unknown): Pick<StepRow, 'detail' | 'code'> {
  if (cause instanceof ProbeError) {
    const { failure: kind, code, message } = cause
    // a server's refusal is quoted; the rest is ours
    return { detail: kind === 'refused' ? `${code}: ${message}` : withCode(message, code), code }
  }
  if (cause instanceof CallerError) return { detail: withCode(cause.message, cause.code), code: cause.code }
  return { detail: withCode('it failed', systemCode(cause)), code: systemCode(cause) }
}

function withCode(message: string, code: string | undefined): string {
  return code === undefined ? message : `${message} (${code})`
}
