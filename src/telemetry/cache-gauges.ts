import { type GaugeSource, inSeconds, type Sample } from './gauge-source.ts'
import type { Readings } from './readings.ts'

/** Returns the gauges of the tokens and role sessions that an instance has. */
export function cacheGauges(
  readings: Pick<Readings, 'rates' | 'liveTokens' | 'roleSessions'>,
): GaugeSource[] {
  const { liveTokens: tokens, roleSessions } = readings
  const databases = () => readings.rates().flatMap(rate => rate.databases)
  return [
    {
      name: 'jeton_live_tokens',
      help: 'Tokens in the cache of this instance that can be vended',
      labelNames: ['database'],
      read: () => countByDatabase(databases(), tokens()),
    },
    {
      name: 'jeton_token_soonest_expiry_timestamp_seconds',
      help: 'When the first of these tokens ends',
      labelNames: ['database'],
      read: () => soonestByDatabase(tokens()),
    },
    {
      name: 'jeton_role_sessions',
      help: 'Role sessions of this instance that can still sign',
      labelNames: ['database'],
      read: () => countByDatabase(databases(), roleSessions()),
    },
  ]
}

/** Returns how many of the values each database has; 0 for one that has none. */
function countByDatabase(
  databases: readonly string[],
  values: readonly { readonly database: string }[],
): Sample[] {
  const counts = new Map(databases.map(database => [database, 0]))
  for (const { database } of values) counts.set(database, (counts.get(database) ?? 0) + 1)
  return [...counts].map(([database, value]) => ({ labels: { database }, value }))
}

function soonestByDatabase(
  tokens: readonly { readonly database: string; readonly expiresAt: number }[],
): Sample[] {
  const soonest = new Map<string, number>()
  for (const { database, expiresAt } of tokens)
    soonest.set(database, Math.min(expiresAt, soonest.get(database) ?? Number.POSITIVE_INFINITY))
  return [...soonest].map(([database, at]) => ({ labels: { database }, value: inSeconds(at) }))
}
