import type { Clock } from '../../lib/clock.ts'
import { escapeUnprintable } from '../../lib/printable.ts'
import type { Environment } from '../../lib/process-input.ts'
import { memoizeAsync } from '../../lib/single-flight.ts'
import { systemCodeNote } from '../../lib/system-error.ts'
import { findCredential, type Identity } from '../credential.ts'
import { CallerError, callerNote, failure, invalidUsage } from '../errors.ts'
import type { Network, Send } from '../http.ts'
import { openSend } from '../open-send.ts'
import { requestToken } from '../request-token.ts'
import { retryWhileTemporary } from '../retry.ts'
import type { TokenReply } from '../token-reply.ts'
import { TokenError } from './token-error.ts'
import type { Question } from './token-source.ts'
import type { TokensOptions } from './types.ts'

export interface ServerParts {
  env: Environment
  clock: Clock
  /** Default: Node's own HTTP client, through the proxies that the environment names. */
  send?: Send | undefined
}

/**
 * Returns a function that asks jeton for a token, with a new credential each time. It rejects with TokenError, which holds no
 * secret. The environment and files are read with the first question.
 */
export function createAsk(
  options: TokensOptions,
  parts: ServerParts,
): (question: Question) => Promise<TokenReply> {
  const { database, user } = options
  const { clock } = parts
  const findServer = memoizeAsync(() => openServer(options, parts))
  return async ({ refused, waitMs }) => {
    try {
      const giveUpAt = clock.now() + waitMs
      // a platform may have no credential yet, when a pod starts
      const server = await retryWhileTemporary(findServer, { waitMs, clock, random: Math.random })
      const leftMs = Math.max(0, giveUpAt - clock.now())
      return await requestToken({ database, user, caPem: true, refused }, { ...server, waitMs: leftMs })
    } catch (cause) {
      throw tokenErrorOf(cause, database)
    }
  }
}

async function openServer(options: TokensOptions, { env, clock, send }: ServerParts) {
  const url = options.url ?? env.JETON_URL
  if (!url) throw invalidUsage('no server: give createTokens a url, or set JETON_URL')
  const ca = options.serverCa === undefined ? undefined : { path: options.serverCa, name: 'serverCa' }
  const network = { clock, send: send ?? (await openSend({ env, serverCa: ca })) }
  const identity = await identityOf(options, env, network)
  return {
    ...network,
    url,
    urlName: options.url === undefined ? 'JETON_URL' : 'the url of createTokens',
    credential: identity.getCredential,
    identity: identity.description,
    program: 'jeton-client',
  }
}

async function identityOf(
  { credential, jwtFile }: TokensOptions,
  env: Environment,
  network: Network,
): Promise<Identity> {
  if (credential === undefined)
    return findCredential({ jwtFile, env, stdin: noStdin(), words: WORDS }, network)
  return {
    description: 'that given to createTokens',
    async getCredential() {
      const given: unknown = typeof credential === 'function' ? await callBack(credential) : credential
      const text = typeof given === 'string' ? given.trim() : ''
      // what is no header must not reach Node, whose error would quote it
      if (!/^(?:(?:Bearer|ApiKey) )?[\x21-\x7e]+$/i.test(text))
        throw invalidUsage('the credential given to createTokens is neither a JWT nor `ApiKey KEY`')
      return text.includes(' ') ? text : `Bearer ${text}`
    },
  }
}

const WORDS = { jwtFile: 'jwtFile', give: 'give createTokens a jwtFile or a credential', wait: 'waitMs' }

/** The text of the application's own error is not shown, which may hold its secrets: it is the cause. */
async function callBack(getCredential: () => string | Promise<string>): Promise<string> {
  try {
    return await getCredential()
  } catch (cause) {
    throw failure('the function that gives createTokens its credential failed', cause)
  }
}

/** An application's stdin is its own. */
async function* noStdin(): AsyncGenerator<never> {}

function tokenErrorOf(cause: unknown, database: string): TokenError {
  const text = (why: string) => escapeUnprintable(`no token for ${database}: ${why}`)
  if (!(cause instanceof CallerError))
    return new TokenError(text(`asking jeton failed unexpectedly${systemCodeNote(cause)}`), { cause })
  const { message, code, isTemporary, retryAfterMs, requestId, auditId } = cause
  return new TokenError(text(`${message}${callerNote(cause)}`), {
    code,
    isTemporary,
    retryAfterMs,
    requestId,
    auditId,
    cause: cause.cause,
  })
}
