import { CallerError } from '../../errors.ts'
import type { Stopwatch } from '../../library/stopwatch.ts'
import { TokenError } from '../../library/token-error.ts'
import { createTokenSource, type TokenSource } from '../../library/token-source.ts'
import type { VendedToken } from '../../library/types.ts'
import type { ProxiedDatabase, ProxyOptions, ProxyParts } from '../proxy.ts'
import { type DatabaseWatch, watchDatabase } from '../watch-database.ts'
import { createAskJeton } from './ask-jeton.ts'

/** A database that jeton has given a token for. */
export interface OpenSource {
  readonly database: ProxiedDatabase
  readonly source: TokenSource
  readonly watch: DatabaseWatch
  /** The first one. */
  readonly token: VendedToken
}

export interface OpenSourcesParts
  extends Pick<ProxyParts, 'requestToken' | 'clock' | 'log' | 'nameAndStack'> {
  startStopwatch(): Stopwatch
}

/** Asks jeton for a token of each database: which engine it has, and where it is, is known from that. Rejects with CallerError. */
export function openSources(
  { databases, waitMs }: Pick<ProxyOptions, 'databases' | 'waitMs'>,
  parts: OpenSourcesParts,
): Promise<OpenSource[]> {
  return Promise.all(
    databases.map(async database => {
      const watch = watchDatabase({ ...parts, database: database.name })
      let isOpen = false
      const ask = createAskJeton({
        ...parts,
        database: database.name,
        user: database.user,
        onReply: watch.tokenReceived,
        // at the start it is thrown, and said once
        onFailure: error => isOpen && watch.tokenFailed(error),
      })
      const source = createTokenSource({ ...parts, ask, waitMs })
      const token = await source.get().catch(cause => {
        throw callerErrorOf(cause, databases.length > 1 ? database.name : undefined)
      })
      isOpen = true
      return { database, source, watch, token }
    }),
  )
}

/** With the exit code that the command ends with, and, of several databases, the name of the one. */
function callerErrorOf(cause: unknown, database: string | undefined): unknown {
  if (!(cause instanceof TokenError && cause.cause instanceof CallerError)) return cause
  const { cause: error } = cause
  return database === undefined ? error : new CallerError(`${database}: ${error.message}`, error)
}
