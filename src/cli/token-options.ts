import type { Lookup } from '../client/connect-address.ts'
import { type CredentialSources, findCredential } from '../client/credential.ts'
import { invalidUsage } from '../client/errors.ts'
import type { Network } from '../client/http.ts'
import type { JetonServer } from '../client/jeton-request.ts'
import { openSend } from '../client/open-send.ts'
import { requestToken } from '../client/request-token.ts'
import { retryWhileTemporary, type Wait } from '../client/retry.ts'
import type { TokenReply } from '../client/token-reply.ts'
import type { Environment } from '../lib/process-input.ts'
import type { CommandStreams } from './streams.ts'
import { createWaitNotice } from './wait-notice.ts'

/** What a caller's command uses of its process and of the network. */
export interface CallerContext
  extends CommandStreams,
    Pick<Network, 'clock'>,
    Pick<CredentialSources, 'sendDirectly' | 'root'> {
  env: Environment
  lookup: Lookup
  /** Called before each wait; default: says so on stderr. */
  onWait?: ((wait: Wait) => void) | undefined
}

/** How a caller's command reaches its server, as written on the command line. */
export interface ServerArguments {
  /** The server; default JETON_URL. */
  url?: string | undefined
  /** A file with the caller's JWT, or `-`. */
  jwt?: string | undefined
  /** For how many seconds to keep trying what may pass. */
  wait?: string | undefined
  /** A file with CA certificates to trust besides those that Node has; default JETON_CACERT. */
  serverCa?: string | undefined
}

/** What `jeton token` and `jeton exec` have in common, as written on the command line. */
export interface CallerArguments extends ServerArguments {
  database: string
  user?: string | undefined
}

/** Returns the server and the credential that the arguments and the environment name. Throws CallerError for a wrong one. */
export async function findServer(
  { url, jwt, wait, serverCa }: ServerArguments,
  context: CallerContext,
): Promise<JetonServer> {
  const { env, stderr, clock } = context
  const server = url ?? env.JETON_URL
  if (!server) throw invalidUsage('no server: give --url or set JETON_URL')
  const waitMs = parseSeconds(wait ?? '0') * 1000
  const ca = serverCa === undefined ? undefined : { path: serverCa, name: '--server-ca' }
  const network = { send: await openSend({ env, serverCa: ca }), clock }
  const { onWait = createWaitNotice(stderr) } = context
  const giveUpAt = clock.now() + waitMs
  const identity = await retryWhileTemporary(() => findCredential({ ...context, jwtFile: jwt }, network), {
    waitMs,
    clock,
    random: Math.random,
    onWait,
  })
  return {
    ...network,
    url: server,
    urlName: url === undefined ? 'JETON_URL' : '--url',
    credential: identity.getCredential,
    identity: identity.description,
    waitMs: Math.max(0, giveUpAt - clock.now()),
    onWait,
    program: 'jeton-cli',
  }
}

/** Requests a token as the arguments and the environment say. Throws CallerError. */
export async function requestTokenFor(
  { database, user, ...args }: CallerArguments,
  { caPem, context }: { caPem: boolean; context: CallerContext },
): Promise<TokenReply> {
  const server = await findServer(args, context)
  return requestToken({ database, ...(user !== undefined && { user }), ...(caPem && { caPem }) }, server)
}

/** Parses what an option takes as a time. Throws CallerError (exit code 2) for anything else. */
export function parseSeconds(text: string, option = '--wait'): number {
  if (/^\d{1,6}(\.\d+)?$/.test(text)) return Number(text)
  throw invalidUsage(`${option} takes a number of seconds, 999999 at most`)
}
