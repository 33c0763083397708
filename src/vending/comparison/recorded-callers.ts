import { DECISION_TYPE, type ParsedRecord } from '../../audit/parsed-record.ts'
import type { AuditRecord } from '../../audit/record.ts'
import { API_KEY_ISSUER } from '../../authentication/api-key.ts'
import { type ClaimObject, isClaimObject } from '../../authorization/claims.ts'
import type { RecordedPrincipal } from '../../authorization/recorded-match.ts'
import { createNamedClaims } from './named-claims.ts'

/** The most callers that are told apart; what comes from others is counted. About 1 KB each. */
export const MAX_CALLERS = 100_000

/** A principal, as records have it, that asked for a database and a user, and how its requests ended. */
export interface RecordedCaller {
  readonly principal: RecordedPrincipal
  /** The subject for people, perhaps cut. */
  readonly subject: string
  readonly database: string
  /** Undefined if it was refused without naming one. Of a vend, the user it got, whether it named one or not. */
  readonly user: string | undefined
  /** Whether its newest request was allowed by a grant. */
  readonly isGranted: boolean
  readonly vends: number
  /** How many of its requests were denied. */
  readonly refusals: number
  /** When its newest request was. */
  readonly last: string
  /** The grant that last allowed it, and the role session of the last token. */
  readonly grant: string | undefined
  readonly identity: string | undefined
}

/** What a log has of callers. */
export interface RecordedCallers {
  readonly callers: readonly RecordedCaller[]
  /** The first and the last time of the records that count; undefined without any. */
  readonly from: string | undefined
  readonly to: string | undefined
  /** How many records of vends and denials there were. */
  readonly records: number
  /** How many of these are of callers beyond the limit. */
  readonly omitted: number
  /** How many refusals and failures of floods were counted, which do not say what was asked for. */
  readonly counted: number
}

interface Group {
  rules: string
  isGranted: boolean
  vends: number
  refusals: number
  last: string
  grant: string | undefined
  identity: string | undefined
}

/** What tells callers apart, as it stands in the key of a group. */
type GroupName = readonly [
  issuer: string,
  subject: string,
  isSubjectCut: boolean,
  claims: ClaimObject | null,
  database: string,
  user: string | null,
]

/**
 * Gathers who was vended a token and who was denied one, in memory that grows with callers alone. Records must come oldest
 * first, those of starts and reloads among them: they tell which claims a record could have.
 */
export async function gatherCallers(
  records: AsyncIterable<ParsedRecord>,
  { maxCallers = MAX_CALLERS }: { maxCallers?: number | undefined } = {},
): Promise<RecordedCallers> {
  const groups = new Map<string, Group>()
  const named = createNamedClaims()
  const totals = { records: 0, omitted: 0, counted: 0 }
  let from: string | undefined
  let to: string | undefined

  for await (const parsed of records) {
    const { type, record } = parsed
    if (type !== DECISION_TYPE) named.addLifecycle(parsed)
    else if (typeof record.count === 'number') {
      if (isOfPrincipals(record)) totals.counted += record.count
    } else {
      const name = nameOf(record)
      if (!name) continue
      totals.records++
      from ??= record.time
      to = record.time
      const key = JSON.stringify(name)
      const rules = named.rulesOf(record)
      const group = groups.get(key)
      if (!group && groups.size >= maxCallers) {
        totals.omitted++
        continue
      }
      if (group?.rules !== rules && name[3]) named.add(rules, { issuer: name[0], claims: name[3] })
      groups.set(key, grown(group, { record, rules }))
    }
  }

  const callers = [...groups].map(([key, { rules, ...group }]): RecordedCaller => {
    const [issuer, subject, isSubjectCut, claims, database, user] = JSON.parse(key) as GroupName
    const isNamed = issuer === API_KEY_ISSUER ? () => true : named.isNamed(rules, issuer)
    const principal: RecordedPrincipal = {
      issuer,
      subject: isSubjectCut ? undefined : subject,
      claims: claims ?? {},
      // claims that were cut tell nothing
      isNamed: claims ? isNamed : () => false,
    }
    return { principal, subject, database, user: user ?? undefined, ...group }
  })
  return { callers, from, to, ...totals }
}

/** Returns undefined for what tells nothing of a grant, such as a failure before anything was decided. */
function nameOf(record: AuditRecord): GroupName | undefined {
  const { principal, database, user } = record
  const cut: unknown = record.cut
  const isCut = (member: string) => Array.isArray(cut) && cut.includes(member)
  if (!isGrantedRecord(record) && record.code !== 'access_denied') return undefined
  if (typeof principal?.issuer !== 'string' || typeof principal.subject !== 'string') return undefined
  if (typeof database !== 'string') return undefined
  const claims = principal.claims ?? {}
  const hasClaims = !isCut('principal.claims') && isClaimObject(claims)
  return [
    principal.issuer,
    principal.subject,
    isCut('principal.subject'),
    hasClaims ? claims : null,
    database,
    typeof user === 'string' ? user : null,
  ]
}

/** Whether a counting record may count what was denied, or granted in vain: it need not name a principal. */
function isOfPrincipals({ decision, code, principal, grant }: AuditRecord): boolean {
  return decision !== 'listed' && (code === 'access_denied' || (principal ?? grant) !== undefined)
}

/** Whether a grant allowed it, though the token may not have been delivered. */
function isGrantedRecord({ decision, code, grant, user }: AuditRecord): boolean {
  if (typeof grant !== 'string' || typeof user !== 'string') return false
  return decision === 'vended' || (code !== 'access_denied' && decision !== 'listed')
}

function grown(group: Group | undefined, { record, rules }: { record: AuditRecord; rules: string }): Group {
  const { decision, time, grant, identity } = record
  const isGranted = isGrantedRecord(record)
  const isNewest = group === undefined || time >= group.last
  return {
    rules: isNewest ? rules : group.rules,
    isGranted: isNewest ? isGranted : group.isGranted,
    vends: (group?.vends ?? 0) + (decision === 'vended' ? 1 : 0),
    refusals: (group?.refusals ?? 0) + (isGranted ? 0 : 1),
    last: isNewest ? time : group.last,
    grant: isGranted && isNewest ? grant : group?.grant,
    identity: decision === 'vended' && isNewest ? identity : group?.identity,
  }
}
