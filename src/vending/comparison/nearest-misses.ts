import type { CompiledGrant, CompiledGrants } from '../../authorization/compiled-grants.ts'
import { describeMiss } from '../../authorization/explain.ts'
import type { AccessRequest } from '../../authorization/grant.ts'
import type { RecordedCondition, RecordedPrincipal } from '../../authorization/recorded-match.ts'
import { escapeText, shorten } from '../../lib/printable.ts'

const MAX_REASON_LENGTH = 300
/** As for the reason of a refusal: of many grants, these are looked at. */
const MAX_GRANTS = 200

export interface NearestQuestion {
  readonly principal: RecordedPrincipal
  readonly request: AccessRequest
  conditionsOf(grant: CompiledGrant, principal: RecordedPrincipal): readonly RecordedCondition[]
}

/**
 * Returns which grant comes nearest to what a caller of a log asked for, what of it certainly misses, and what its record does
 * not tell: one line, escaped, of at most 300 characters. Prefers grants for the database, as `nearestReason` does.
 */
export function nearestMisses(grants: CompiledGrants, question: NearestQuestion): string {
  const { principal, request } = question
  const { database, user } = request
  const forDatabase = grants.forDatabase(principal.issuer, database)
  const candidates = forDatabase.length > 0 ? forDatabase : grants.forIssuer(principal.issuer)
  let nearest: { grant: CompiledGrant; open: RecordedCondition[]; cost: number } | undefined
  for (const grant of candidates.slice(0, MAX_GRANTS)) {
    const conditions = [
      named('database', { wanted: [grant.database], found: database }),
      ...(user === undefined ? [] : [named('user', { wanted: grant.users, found: user })]),
      ...question.conditionsOf(grant, principal),
    ]
    const open = conditions.filter(({ verdict }) => verdict !== 'holds')
    const cost = open.reduce((sum, { verdict }) => sum + (verdict === 'misses' ? 1000 : 1), 0)
    if (!nearest || cost < nearest.cost) nearest = { grant, open, cost }
  }
  if (!nearest) return shorten(`no grant is for issuer ${escapeText(principal.issuer)}`, MAX_REASON_LENGTH)
  const misses = nearest.open.filter(({ verdict }) => verdict === 'misses')
  const shown = misses.length > 0 ? misses.map(describeRecorded) : nearest.open.map(describeUnknown)
  return shorten(`nearest grant ${escapeText(nearest.grant.name)}: ${shown.join('; ')}`, MAX_REASON_LENGTH)
}

function named(
  name: string,
  { wanted, found }: { wanted: readonly string[]; found: string },
): RecordedCondition {
  return { name, wanted, found, verdict: wanted.includes(found) ? 'holds' : 'misses' }
}

function describeRecorded({ verdict: _, ...condition }: RecordedCondition): string {
  return describeMiss({ ...condition, holds: false })
}

function describeUnknown({ name, wanted }: RecordedCondition): string {
  return `${escapeText(name)} is not in the record, wanted ${escapeText(wanted.join(' or '))}`
}
