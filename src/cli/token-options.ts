import { findCredential } from '../client/credential.ts'
import type { Lookup } from '../client/dial.ts'
import { usageError } from '../client/errors.ts'
import type { Network } from '../client/http.ts'
import { requestToken } from '../client/request-token.ts'
import type { TokenReply } from '../client/token-reply.ts'
import type { Environment } from '../lib/environment.ts'

/** All that a caller's command touches of the world. */
export interface CallerEnvironment extends Network {
  env: Environment
  stdin: AsyncIterable<Uint8Array | string>
  stdout: { write(text: string): unknown }
  stderr: { write(text: string): unknown }
  lookup: Lookup
}

/** What `jeton token` and `jeton exec` have in common, as it stands on the command line. */
export interface CallerArguments {
  database: string
  user?: string | undefined
  /** The server; default JETON_URL. */
  url?: string | undefined
  /** A file with the caller's JWT, or `-`. */
  jwt?: string | undefined
  /** Seconds to go on asking while the server says to come back later. */
  wait?: string | undefined
}

/** Asks the server as the arguments and the environment say. Throws CallerError. */
export function requestTokenByArguments(
  { database, user, url, jwt, wait }: CallerArguments,
  { caPem, world }: { caPem: boolean; world: CallerEnvironment },
): Promise<TokenReply> {
  const { env, stdin, fetch, clock } = world
  const server = url ?? env.JETON_URL
  if (!server) throw usageError('no server: give --url or set JETON_URL')
  const waitMs = secondsOf(wait ?? '0') * 1000
  const credential = findCredential({ jwtFile: jwt, env, stdin }, { fetch, clock })
  const ask = { database, ...(user !== undefined && { user }), ...(caPem && { caPem }) }
  return requestToken(ask, { url: server, credential, waitMs, fetch, clock })
}

function secondsOf(text: string): number {
  if (/^\d{1,6}(\.\d+)?$/.test(text)) return Number(text)
  throw usageError('--wait takes a number of seconds')
}
