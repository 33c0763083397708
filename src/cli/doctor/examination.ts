import { clientFamily } from '../../client/client-family.ts'
import { wantedAudience } from '../../client/credential.ts'
import { CallerError, errorText } from '../../client/errors.ts'
import type { JetonServer } from '../../client/jeton-request.ts'
import { isTokenRefused } from '../../client/login-probe/find-refusal.ts'
import { requestToken, type TokenRequestBody } from '../../client/request-token.ts'
import type { TokenReply } from '../../client/token-reply.ts'
import { WireError } from '../../client/wire/wire-error.ts'
import { monotonicClock } from '../../lib/clock.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { systemCode } from '../../lib/system-error.ts'
import { type CallerContext, findServer, type ServerArguments } from '../token-options.ts'
import {
  type ConnectionOptions,
  openConnection,
  type PlainConnection,
  type SecureConnection,
} from './connection.ts'
import { getIdentity } from './identity.ts'
import { createStepRunner, type StepRow, type StepWatch } from './step.ts'
import { findTarget, type LookUpAll } from './target.ts'

export interface ExaminationArguments extends ServerArguments {
  database: string
  user?: string | undefined
  /** A file with a CA bundle to verify the database with, instead of the server's. */
  ca?: string | undefined
  timeoutMs: number
}

/** What `jeton doctor` uses of its process and of the network. */
export interface DoctorContext extends CallerContext {
  lookUpAll: LookUpAll
}

/** What an examination knows so far, for whoever explains where it failed. */
export interface Findings {
  /** What looks wrong with the caller's JWT; undefined for another credential. */
  jwtProblems?: readonly string[] | undefined
  reply?: TokenReply
}

/**
 * Goes the way of a login step by step, and passes each on as it ends. Throws StepFailed at the first that fails, and
 * CallerError for what is wrong before the first. Sends the token to a verified server alone.
 */
export async function examine(
  args: ExaminationArguments,
  { context, watch, findings }: { context: DoctorContext; watch: StepWatch; findings: Findings },
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
  const { lookUpAll, clock } = context
  const { addresses, port } = await run('dns', () =>
    findTarget(reply, { lookUpAll, clock, timeoutMs: args.timeoutMs }),
  )
  const ca = caPem ?? reply.ca?.pem ?? ''
  const options = { addresses, port, ca, timeoutMs: args.timeoutMs, clock }
  const plain = await run('tcp', async () => {
    const value = await openConnection(reply, options)
    return { detail: `connected to ${value.address}, port ${port}${failedNote(value)}`, value }
  })
  const secure = await run('tls', async () => {
    const value = await plain.startTls()
    return { detail: value.detail, value }
  })
  const loggedIn = await run('login', () =>
    logIn(secure, { reply, body, options: { ...options, addresses: [plain.address] }, server: known }),
  )
  await run('query', async () => {
    const user = await loggedIn.queryUser()
    return { detail: `current_user is ${user}`, value: undefined }
  })
  loggedIn.close()
}

async function readBundle(path: string): Promise<string> {
  const { readCertificates } = await import('../../client/server-ca.ts')
  return (await readCertificates({ path, name: '--ca' })).join('\n')
}

function describeReply({ user, host, port, expiresIn, cached }: TokenReply & { cached?: unknown }): string {
  const minutes = expiresIn === undefined ? '' : `, good for ${Math.max(0, Math.floor(expiresIn / 60))} min`
  return `for ${user} at ${host}:${port}${minutes}${cached === true ? ', from the cache' : ''}`
}

function failedNote({ failed }: PlainConnection): string {
  return failed.length === 0 ? '' : `; no connection to ${failed.join(', ')}`
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
    const isAsked = await secure.logIn(reply)
    const note = isAsked ? '' : '; the server asked for no token, and may let anybody in as this user'
    return { detail: `as ${reply.user}${note}`, value: secure }
  } catch (cause) {
    if (!(cause instanceof WireError) || !isTokenRefused(cause)) throw cause
    const first = cause.message
    const { token, fingerprint = sha256Hex(token) } = reply
    const refused = (note: string) =>
      new WireError(`${first}; ${note}`, { failure: 'refused', code: cause.code, cause })
    const another = await requestToken({ ...body, refused: fingerprint }, { ...server, waitMs: 0 }).catch(
      failed => {
        if (!(failed instanceof CallerError)) throw failed
        throw refused(`reported to jeton, which has no other token yet: ${failed.message}`)
      },
    )
    if (another.token === token) throw refused('reported to jeton, which has no other token yet')
    const again = await (await openConnection(another, options)).startTls()
    await again.logIn(another).catch(second => {
      throw second instanceof WireError && isTokenRefused(second)
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
  if (cause instanceof WireError) {
    const { failure: kind, code, message } = cause
    // a server's refusal is quoted; the rest is ours
    return { detail: kind === 'refused' ? `${code}: ${message}` : withCode(message, code), code }
  }
  if (cause instanceof CallerError) return { detail: errorText(cause), code: cause.code }
  return { detail: withCode('it failed', systemCode(cause)), code: systemCode(cause) }
}

function withCode(message: string, code: string | undefined): string {
  return code === undefined || message.includes(code) ? message : `${message} (${code})`
}
