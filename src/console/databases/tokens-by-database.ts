import { getOrCreate } from '../../lib/maps.ts'
import type { LiveToken } from '../../telemetry/readings.ts'

/** The live tokens of one database, or of several together. */
export interface LiveTokens {
  readonly count: number
  /** Those that end first, soonest first: as many as are shown. */
  readonly soonest: readonly LiveToken[]
}

/** Returns the live tokens by database. Looks at each once, so that thousands of them take no time. */
export function tokensByDatabase(tokens: Iterable<LiveToken>, shown: number): Map<string, LiveTokens> {
  const found = new Map<string, { count: number; soonest: LiveToken[] }>()
  for (const token of tokens) {
    const ofDatabase = getOrCreate(found, { key: token.database, create: () => ({ count: 0, soonest: [] }) })
    ofDatabase.count++
    insert(ofDatabase.soonest, token, shown)
  }
  return found
}

/** Returns the live tokens of databases that share a resource. */
export function tokensOf(
  databases: readonly string[],
  { all, shown }: { all: ReadonlyMap<string, LiveTokens>; shown: number },
): LiveTokens {
  const each = databases.flatMap(database => all.get(database) ?? [])
  return {
    count: each.reduce((sum, { count }) => sum + count, 0),
    soonest: each
      .flatMap(({ soonest }) => soonest)
      .sort((one, other) => one.expiresAt - other.expiresAt)
      .slice(0, shown),
  }
}

function insert(soonest: LiveToken[], token: LiveToken, max: number): void {
  const last = soonest[max - 1]
  if (last && last.expiresAt <= token.expiresAt) return
  const place = soonest.findIndex(({ expiresAt }) => expiresAt > token.expiresAt)
  soonest.splice(place === -1 ? soonest.length : place, 0, token)
  if (soonest.length > max) soonest.pop()
}
