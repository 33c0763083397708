import type { Database } from '../rds/database.ts'
import type { LiveToken, RoleSessionReading } from '../telemetry/readings.ts'
import type { CacheEntry } from './cache-entry.ts'
import { canBeVended, isVendable } from './lifetime.ts'

/** What of the cache is read: for scrapes, which must not hold up vends, one loop over 20,000 keys. */
export interface CacheReading {
  readonly now: number
  /** Whether what is kept for a database is read. */
  isRead(database: Database): boolean
}

/** Returns the tokens that can be vended, without their texts. One that has not been delivered is left out: it may never be. */
export function liveTokens(entries: Iterable<CacheEntry>, { now, isRead }: CacheReading): LiveToken[] {
  const tokens: LiveToken[] = []
  for (const { key, current } of entries) {
    if (!current?.isDelivered() || !isVendable(current.token, now) || !isRead(key.database)) continue
    const { fingerprint, identity, issuedAt, refreshAfter, expiresAt } = current.token
    const times = { issuedAt, refreshAfter, expiresAt }
    const { database, user } = key
    const { mintedHere: isMintedHere } = current
    tokens.push({ database: database.name, user, fingerprint, identity, ...times, isMintedHere })
  }
  return tokens
}

/** Returns the role sessions that can still sign a token that can be vended. */
export function roleSessions(
  entries: Iterable<CacheEntry>,
  { now, isRead }: CacheReading,
): RoleSessionReading[] {
  const sessions: RoleSessionReading[] = []
  for (const { key, session } of entries) {
    const { expiresAt } = session
    if (expiresAt === undefined || !canBeVended({ expiresAt }, now) || !isRead(key.database)) continue
    sessions.push({ database: key.database.name, user: key.user, expiresAt })
  }
  return sessions
}
