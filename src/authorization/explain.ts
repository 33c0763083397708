import type { Principal } from '../authentication/principal.ts'
import { escapeText, shorten } from '../lib/printable.ts'
import { type CheckedCondition, countMisses } from './claim-matcher.ts'
import { noteOfLimit, showClaim } from './claims.ts'
import type { CompiledGrant, CompiledGrants } from './compiled-grants.ts'
import type { PartialAccessRequest } from './grant.ts'
import { describeTimeMiss, timeConditions } from './grant-times.ts'

const MAX_REASON_LENGTH = 300
/** A verified caller can be refused as often as it likes: a refusal looks at no more grants than this. */
const MAX_GRANTS = 200

/** One condition, fit to be shown. */
export interface ShownCondition {
  /** `issuer`, `database`, `user`, `notBefore`, `notAfter`, `subject` or `claim a.b`. */
  readonly name: string
  /** The patterns of which one must match. */
  readonly wanted: readonly string[]
  /**
   * What the principal or the request has, escaped and at most 100 characters, with a note if it is too long to be looked at
   * as a whole; undefined if it has nothing.
   */
  readonly found: string | undefined
  readonly holds: boolean
}

/** What to explain: whether a principal may have what it requests, at a moment (ms). */
export interface AccessQuestion {
  readonly principal: Principal
  readonly request: PartialAccessRequest
  readonly now: number
}

/** Why one grant allows or refuses what a principal requests. */
export interface GrantExplanation {
  readonly grant: string
  readonly database: string
  readonly users: readonly string[]
  /** How many conditions do not hold; 0 if the grant allows the request. */
  readonly misses: number
  readonly conditions: readonly ShownCondition[]
}

/**
 * Returns what every grant decides about a request, nearest miss first: grants for the principal's issuer, then those with
 * the fewest misses, then those for the requested database, then in the order of the file; at most `max` of them, by default
 * all. What the request leaves out is not a condition.
 */
export function explain(
  grants: CompiledGrants,
  question: AccessQuestion,
  max: number = grants.all.length,
): GrantExplanation[] {
  const { principal, request } = question
  const foreign = ({ grant }: CheckedGrant) => Number(grant.issuer !== principal.issuer)
  const elsewhere = ({ grant }: CheckedGrant) =>
    Number(request.database !== undefined && grant.database !== request.database)
  const own = grants.forIssuer(principal.issuer)
  // those of other issuers come behind all of these
  const looked = own.length >= max ? own : grants.all
  return looked
    .map(grant => checkGrant(grant, question))
    .sort((a, b) => foreign(a) - foreign(b) || a.misses - b.misses || elsewhere(a) - elsewhere(b))
    .slice(0, max)
    .map(({ grant: { name, database, users }, conditions, misses }) => ({
      grant: name,
      database,
      users,
      misses,
      conditions: conditions.map(showCondition),
    }))
}

/**
 * Returns one line for the audit record: which grant came nearest and what it missed, escaped, at most 300 characters. Call
 * only for refusals. Prefers grants for the requested database. Looks at the first 200 of the issuer's grants, those for the
 * database before others; beyond that another may be nearer. How many are for it changes nothing in how long this takes. Names
 * grants and claims, so callers must not see it.
 */
export function nearestReason(grants: CompiledGrants, question: AccessQuestion): string {
  const { issuer } = question.principal
  const { database } = question.request
  const isElsewhere = ({ grant }: CheckedGrant) => database !== undefined && grant.database !== database
  let nearest: CheckedGrant | undefined
  for (const grant of candidatesFor(grants, question)) {
    const checked = checkGrant(grant, question)
    const isAlike = nearest && isElsewhere(checked) === isElsewhere(nearest)
    if (!nearest || (isAlike && checked.misses < nearest.misses)) nearest = checked
  }
  if (!nearest) return shorten(`no grant is for issuer ${escapeText(issuer)}`, MAX_REASON_LENGTH)
  const missed = nearest.conditions.filter(({ holds }) => !holds).map(describeMiss)
  const reason = `nearest grant ${escapeText(nearest.grant.name)}: ${missed.join('; ') || 'everything holds'}`
  return shorten(reason, MAX_REASON_LENGTH)
}

/** The grants for the database come first, so the first of them is the nearest that others must beat. */
function candidatesFor(grants: CompiledGrants, { principal, request }: AccessQuestion): CompiledGrant[] {
  const { issuer } = principal
  const { database } = request
  const forDatabase = database === undefined ? [] : grants.forDatabase(issuer, database)
  const candidates = forDatabase.slice(0, MAX_GRANTS)
  for (const grant of grants.forIssuer(issuer)) {
    if (candidates.length === MAX_GRANTS) break
    if (grant.database !== database) candidates.push(grant)
  }
  return candidates
}

interface CheckedGrant {
  readonly grant: CompiledGrant
  readonly conditions: readonly CheckedCondition[]
  readonly misses: number
}

function checkGrant(grant: CompiledGrant, { principal, request, now }: AccessQuestion): CheckedGrant {
  const { database, user } = request
  const conditions = [
    checkName('issuer', { wanted: [grant.issuer], found: principal.issuer }),
    ...(database === undefined ? [] : [checkName('database', { wanted: [grant.database], found: database })]),
    ...(user === undefined ? [] : [checkName('user', { wanted: grant.users, found: user })]),
    ...timeConditions(grant, now),
    ...grant.principal.explain(principal),
  ]
  return { grant, conditions, misses: countMisses(conditions) }
}

function checkName(
  name: string,
  { wanted, found }: { wanted: readonly string[]; found: string },
): CheckedCondition {
  return { name, wanted, found, holds: wanted.includes(found) }
}

function showCondition(condition: CheckedCondition): ShownCondition {
  const { found, holds } = condition
  if (found === undefined) return { ...condition, found }
  return { ...condition, found: showClaim(found) + (holds ? '' : noteOfLimit(found)) }
}

/** Returns a condition that a grant missed as operators read it, escaped. */
export function describeMiss(condition: CheckedCondition): string {
  const ofTime = describeTimeMiss(condition)
  if (ofTime !== undefined) return ofTime
  const { name, wanted, found } = showCondition(condition)
  const actual = found === undefined ? 'is missing' : `is ${found}`
  return `${escapeText(name)} ${actual}, wanted ${escapeText(wanted.join(' or '))}`
}
