import type { Database } from '../rds/database.ts'
import type { LiveToken, RoleSessionReading } from '../telemetry/readings.ts'
import type { CacheEntry } from './cache-entry.ts'
import { canBeVended, isVendable } from './lifetime.ts'

/** A reading whose database is not named yet: a reload may have given its name to another. */
type Of<Reading> = Omit<Reading, 'database'> & { readonly database: Database }

/** Returns the tokens that can be vended, without their texts. One that has not been delivered is left out: it may never be. */
export function liveTokens(entries: Iterable<CacheEntry>, now: number): Of<LiveToken>[] {
  const tokens: Of<LiveToken>[] = []
  for (const { key, current } of entries) {
    if (!current?.isDelivered() || !isVendable(current.token, now)) continue
    const { fingerprint, identity, issuedAt, refreshAfter, expiresAt } = current.token
    const { database, user } = key
    const { mintedHere: isMintedHere } = current
    tokens.push({ database, user, fingerprint, identity, issuedAt, refreshAfter, expiresAt, isMintedHere })
  }
  return tokens
}

/** Returns the role sessions that can still sign a token that can be vended. */
export function roleSessions(entries: Iterable<CacheEntry>, now: number): Of<RoleSessionReading>[] {
  const sessions: Of<RoleSessionReading>[] = []
  for (const { key, session } of entries) {
    const { expiresAt } = session
    if (expiresAt === undefined || !canBeVended({ expiresAt }, now)) continue
    sessions.push({ database: key.database, user: key.user, expiresAt })
  }
  return sessions
}
