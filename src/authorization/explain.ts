import type { Principal } from '../authentication/principal.ts'
import { escapeText, shorten } from '../lib/printable.ts'
import { type ClaimFinding, missing } from './claim-matcher.ts'
import type { CompiledGrant, CompiledGrants } from './compiled-grants.ts'
import type { PartialAccessRequest } from './grant.ts'
import { showClaim } from './show-claim.ts'

const LONGEST_REASON = 300
/** Whoever is verified can be refused as often as they like: a refusal looks at no more grants than this. */
const MOST_GRANTS = 200

/** One condition, fit to be shown. */
export interface CheckedCondition {
  /** `issuer`, `database`, `user`, `subject` or `claim a.b`. */
  readonly name: string
  /** Any of these. */
  readonly wanted: readonly string[]
  /** What was brought, escaped and at most 100 characters; undefined where nothing was. */
  readonly found: string | undefined
  readonly holds: boolean
}

/** What one grant makes of a principal and what it asks for. */
export interface GrantExplanation {
  readonly grant: string
  readonly database: string
  readonly users: readonly string[]
  /** How many conditions do not hold; 0 means granted. */
  readonly misses: number
  readonly conditions: readonly CheckedCondition[]
}

/**
 * Explains what every grant makes of a principal, nearest miss first: those of its own issuer, then the fewest conditions
 * missed, then those for the database asked for, then the order of the file. What is left out of `ask` is no condition.
 */
export function explain(
  grants: CompiledGrants,
  principal: Principal,
  ask: PartialAccessRequest,
): GrantExplanation[] {
  const foreign = (grant: CompiledGrant) => Number(grant.issuer !== principal.issuer)
  const elsewhere = (grant: CompiledGrant) =>
    Number(ask.database !== undefined && grant.database !== ask.database)
  return grants.all
    .map(grant => ({ grant, findings: examine(grant, principal, ask) }))
    .map(({ grant, findings }) => ({ grant, findings, misses: missing(findings) }))
    .sort(
      (a, b) =>
        foreign(a.grant) - foreign(b.grant) || a.misses - b.misses || elsewhere(a.grant) - elsewhere(b.grant),
    )
    .map(({ grant: { name, database, users }, findings, misses }) => ({
      grant: name,
      database,
      users,
      misses,
      conditions: findings.map(finding => ({
        ...finding,
        found: finding.found === undefined ? undefined : showClaim(finding.found),
      })),
    }))
}

/**
 * Says in one line, for the audit record, which grant came nearest and what it missed: at most 300 characters, escaped.
 * Only for refusals. Looks at the first 200 grants of the principal's issuer for the database, or of the issuer where
 * there is none, so that with more than that the nearest may be another. Names grants and claims: never for callers.
 */
export function nearestReason(
  grants: CompiledGrants,
  principal: Principal,
  ask: PartialAccessRequest,
): string {
  const there = ask.database === undefined ? [] : grants.on(principal.issuer, ask.database)
  const candidates = there.length > 0 ? there : grants.of(principal.issuer)
  let nearest: { name: string; findings: readonly ClaimFinding[]; misses: number } | undefined
  for (const grant of candidates.slice(0, MOST_GRANTS)) {
    const findings = examine(grant, principal, ask)
    const misses = missing(findings)
    if (!nearest || misses < nearest.misses) nearest = { name: grant.name, findings, misses }
  }
  if (!nearest) return shorten(`no grant is for issuer ${escapeText(principal.issuer)}`, LONGEST_REASON)
  const missed = nearest.findings.filter(({ holds }) => !holds).map(sayMissed)
  const reason = `nearest grant ${escapeText(nearest.name)}: ${missed.join('; ') || 'everything holds'}`
  return shorten(reason, LONGEST_REASON)
}

function examine(
  grant: CompiledGrant,
  principal: Principal,
  { database, user }: PartialAccessRequest,
): ClaimFinding[] {
  return [
    literal('issuer', [grant.issuer], principal.issuer),
    ...(database === undefined ? [] : [literal('database', [grant.database], database)]),
    ...(user === undefined ? [] : [literal('user', grant.users, user)]),
    ...grant.principal.explain(principal),
  ]
}

function literal(name: string, wanted: readonly string[], found: string): ClaimFinding {
  return { name, wanted, found, holds: wanted.includes(found) }
}

function sayMissed({ name, wanted, found }: ClaimFinding): string {
  const brought = found === undefined ? 'is missing' : `is ${showClaim(found)}`
  return `${escapeText(name)} ${brought}, wanted ${escapeText(wanted.join(' or '))}`
}
