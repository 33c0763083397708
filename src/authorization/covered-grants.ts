import { groupBy } from '../lib/maps.ts'
import { claimConditions } from './claim-condition.ts'
import type { GrantSpec } from './grant.ts'
import { coversGrant } from './grant-overlap.ts'
import { indexByPattern, type PatternCondition } from './pattern-index.ts'

interface PositionedGrant {
  readonly grant: GrantSpec
  readonly position: number
  readonly conditions: readonly PatternCondition[]
}

/**
 * Returns, by the position of each grant that never counts, the position of the first one before it that allows all that it
 * does (`coversGrant`). Compares each grant with few others, however many there are.
 */
export function findCoveredGrants(grants: readonly GrantSpec[]): ReadonlyMap<number, number> {
  const covered = new Map<number, number>()
  const positioned = grants.map((grant, position) => ({ grant, position, conditions: conditionsOf(grant) }))
  for (const alike of groupBy(positioned, ({ grant }) => targetOf(grant)).values()) {
    const findCandidates = indexGrants(alike)
    for (const { grant, position, conditions } of alike) {
      let first = position
      for (const earlier of findCandidates(conditions))
        if (earlier.position < first && coversGrant(earlier.grant, grant)) first = earlier.position
      if (first < position) covered.set(position, first)
    }
  }
  return covered
}

function targetOf({ principal, database }: GrantSpec): string {
  return JSON.stringify([principal.issuer, database])
}

/** Returns a function that finds all that may cover a grant: those with a pattern for one of its values, whichever that is. */
function indexGrants(
  grants: readonly PositionedGrant[],
): (covered: readonly PatternCondition[]) => readonly PositionedGrant[] {
  const index = indexByPattern(grants, ({ conditions }) => conditions)
  return covered => {
    // whatever is wanted covers a list of nothing
    if (covered.some(({ patterns }) => patterns.length === 0)) return grants
    return index.candidates(path =>
      covered
        .filter(condition => isSamePath(condition.path, path))
        .flatMap(({ patterns }) => patterns[0] ?? []),
    )
  }
}

function conditionsOf({ principal, users }: GrantSpec): PatternCondition[] {
  const ofClaims = claimConditions(principal).map(({ claim, wanted }) => ({
    path: ['claims', claim],
    patterns: wanted.map(String),
  }))
  return [...ofClaims, { path: ['users'], patterns: users }]
}

function isSamePath(one: readonly string[], other: readonly string[]): boolean {
  return one[0] === other[0] && one[1] === other[1]
}
