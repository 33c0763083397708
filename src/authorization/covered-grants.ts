import { groupBy } from '../lib/maps.ts'
import { claimConditions } from './claim-condition.ts'
import type { GrantSpec } from './grant.ts'
import { type ComparedGrant, coversGrant } from './grant-overlap.ts'
import { indexByPattern, type PatternCondition } from './pattern-index.ts'

/** So few grants are compared with each other: that takes less than to file them. */
const MAX_UNFILED = 32

interface PositionedGrant {
  readonly grant: GrantSpec
  readonly position: number
}

/**
 * Returns, by the position of each grant that never counts, the position of the first one before it that allows all that it
 * does (`coversGrant`). Compares each grant with few others, however many there are.
 */
export function findCoveredGrants(grants: readonly GrantSpec[]): ReadonlyMap<number, number> {
  const covered = new Map<number, number>()
  const positioned = grants.map((grant, position) => ({ grant, position }))
  for (const alike of groupBy(positioned, ({ grant }) => targetOf(grant)).values())
    for (const [position, first] of findCoveredAmong(alike)) covered.set(position, first)
  return covered
}

/** What is alike for two grants need not be: it is compared again. */
function targetOf({ principal, database }: GrantSpec): string {
  return `${principal.issuer} ${database}`
}

function findCoveredAmong(grants: readonly PositionedGrant[]): [number, number][] {
  const compared = grants.map(({ grant, position }) => ({
    grant,
    position,
    conditions: claimConditions(grant.principal),
  }))
  const candidatesFor = compared.length > MAX_UNFILED ? indexGrants(compared) : () => compared
  return compared.flatMap((later): [number, number][] => {
    let first = later.position
    for (const earlier of candidatesFor(later))
      if (earlier.position < first && coversGrant(earlier, later)) first = earlier.position
    return first < later.position ? [[later.position, first]] : []
  })
}

/** Returns a function that finds all that may cover a grant: those with a pattern for one of its values, whichever that is. */
function indexGrants<T extends ComparedGrant>(
  grants: readonly T[],
): (covered: ComparedGrant) => readonly T[] {
  const index = indexByPattern(grants, patternsOf)
  return covered => {
    const wanted = patternsOf(covered)
    return index.candidates(path =>
      wanted
        .filter(condition => isSamePath(condition.path, path))
        .flatMap(({ patterns }) => patterns[0] ?? []),
    )
  }
}

function patternsOf({ grant: { users }, conditions }: ComparedGrant): PatternCondition[] {
  const ofClaims = conditions.map(({ claim, wanted }) => ({
    path: ['claims', claim],
    patterns: wanted.map(String),
  }))
  return [...ofClaims, { path: ['users'], patterns: users }]
}

function isSamePath(one: readonly string[], other: readonly string[]): boolean {
  return one[0] === other[0] && one[1] === other[1]
}
