import { API_KEY_ISSUER } from '../../authentication/api-key.ts'
import { type CompiledGrant, compileGrants } from '../../authorization/compiled-grants.ts'
import { decide, grantsOf } from '../../authorization/decide.ts'
import { grantsInForce, timeConditions } from '../../authorization/grant-times.ts'
import {
  compileRecorded,
  type RecordedCondition,
  type RecordedMatcher,
  type RecordedPrincipal,
  type RecordedVerdict,
  verdictOf,
} from '../../authorization/recorded-match.ts'
import type { Config } from '../../config/config.ts'
import { distinct, getOrCreate } from '../../lib/maps.ts'
import type { Database } from '../../rds/database.ts'
import { identityOf } from './identity.ts'
import { createMissingNames, type MissingName, type RenamedPrincipal } from './missing-names.ts'
import { nearestMisses } from './nearest-misses.ts'
import type { RecordedCaller, RecordedCallers } from './recorded-callers.ts'

/** What a configuration does to a caller of a log. */
export type Change =
  /** It was granted, and would be denied. */
  | { readonly kind: 'loses'; readonly reason: string }
  /** It was denied, and would be granted one of these users. */
  | { readonly kind: 'gains'; readonly grant: string; readonly users: readonly string[] }
  /** It would be granted by another grant, or with another role session. */
  | { readonly kind: 'changes'; readonly grant: string; readonly identity: string | undefined }
  /** The record lacks what would tell. */
  | { readonly kind: 'unknown'; readonly reason: string }

export interface ChangedCaller {
  readonly caller: RecordedCaller
  readonly change: Change
}

export interface Comparison {
  /** Those that are treated otherwise, or of whom it cannot be said; those with the most requests first. */
  readonly changed: readonly ChangedCaller[]
  /** How many callers would have to name a user, because several are granted: records do not show who names one. */
  readonly severalUsers: number
}

/** The parts of a configuration that decide. */
export type DecidingConfig = Pick<Config, 'issuers' | 'apiKeys' | 'databases' | 'grants'>

/**
 * Returns how a configuration would decide, at a moment (ms), about the callers of a log. Decides by what records have: where
 * they lack what would tell, it says so. Does not compare what no record shows: audiences, keys, lifetimes and URLs of issuers.
 */
export function compareAccess(
  { callers }: Pick<RecordedCallers, 'callers'>,
  { config, now }: { config: DecidingConfig; now: number },
): Comparison {
  const decide = createRecordedDecisions(callers, { config, now })
  const changed: ChangedCaller[] = []
  let severalUsers = 0
  for (const caller of callers) {
    const { change, hasSeveralUsers } = decide(caller)
    if (change) changed.push({ caller, change })
    if (hasSeveralUsers) severalUsers++
  }
  const requestsOf = ({ caller: { vends, refusals } }: ChangedCaller) => vends + refusals
  return { changed: changed.sort((a, b) => requestsOf(b) - requestsOf(a)), severalUsers }
}

interface Decided {
  readonly change: Change | undefined
  readonly hasSeveralUsers?: boolean
}

function createRecordedDecisions(
  callers: readonly RecordedCaller[],
  { config, now }: { config: DecidingConfig; now: number },
): (caller: RecordedCaller) => Decided {
  const grants = compileGrants(config.grants)
  const databases = new Map(config.databases.map(database => [database.name, database]))
  const findMissing = createMissingNames(callers, config)
  const issuerUrls = new Map(config.issuers.map(({ name, issuer }) => [name, issuer]))
  const matchers = new Map<CompiledGrant, RecordedMatcher>()

  function conditionsOf(grant: CompiledGrant, principal: RecordedPrincipal): readonly RecordedCondition[] {
    const create = () => compileRecorded(config.grants[grant.position]?.principal ?? { issuer: grant.issuer })
    const times = timeConditions(grant, now).map(({ holds, ...condition }) => ({
      ...condition,
      verdict: (holds ? 'holds' : 'misses') as RecordedVerdict,
    }))
    return [...times, ...getOrCreate(matchers, { key: grant, create })(principal)]
  }

  /** All JWTs have `iss` and `sub`, whether the record names them or not. */
  function withRegistered(principal: RecordedPrincipal): RecordedPrincipal {
    const { issuer, subject, claims } = principal
    if (issuer === API_KEY_ISSUER) return principal
    const iss = issuerUrls.get(issuer)
    return {
      ...principal,
      claims: {
        ...claims,
        ...(iss !== undefined && { iss }),
        ...(subject !== undefined && { sub: subject }),
      },
    }
  }

  /** Most keep what they have, which the index of grants finds at once: what a record has, the JWT had too. */
  function keepsAccess(
    caller: RecordedCaller,
    { database, principal }: { database: Database; principal: RecordedPrincipal },
  ): Decided | undefined {
    const { isGranted, user } = caller
    const { issuer, subject, claims } = principal
    if (!isGranted || subject === undefined) return undefined
    const own = grantsInForce(grantsOf(grants, { issuer, subject, claims }), now).grants
    const decision = decide(own, { database: database.name, user })
    if (decision.kind !== 'granted' || changeOf(caller, { grant: decision.grant, database })) return undefined
    const { kind } = decide(own, { database: database.name })
    return { change: undefined, hasSeveralUsers: kind === 'user-required' }
  }

  /** Returns the grants for a database that a principal meets, or may meet, whatever user they are for. */
  function possibleGrants(principal: RecordedPrincipal, database: string) {
    return grants
      .forDatabase(principal.issuer, database)
      .map(grant => ({ grant, verdict: verdictOf(conditionsOf(grant, principal)) }))
      .filter(({ verdict }) => verdict !== 'misses')
  }

  /** Without its issuer or its key a caller is nobody, unless that has another name by now and a grant is for it by that. */
  function changeWithout(
    { reason, renamed }: MissingName,
    { isGranted, database, user }: RecordedCaller,
  ): Change | undefined {
    const isPossible = ({ principal }: RenamedPrincipal) =>
      possibleGrants(withRegistered(principal), database).some(isFor(user))
    const other = renamed.find(isPossible)
    if (other) return { kind: 'unknown', reason: `${reason}, unless it is ${other.name} by now` }
    return isGranted ? loses(reason) : undefined
  }

  return caller => {
    const { isGranted, database: name, user } = caller
    const missing = findMissing(caller)
    if (missing) return { change: changeWithout(missing, caller) }
    const database = databases.get(name)
    if (!database)
      return { change: isGranted ? loses('the configuration has no database of this name') : undefined }

    const principal = withRegistered(caller.principal)
    const kept = keepsAccess(caller, { database, principal })
    if (kept) return kept
    const possible = possibleGrants(principal, name)
    const candidates = possible.filter(isFor(user))
    const holding = candidates.find(({ verdict }) => verdict === 'holds')?.grant
    const reason = () => nearestMisses(grants, { principal, request: { database: name, user }, conditionsOf })
    if (!holding && candidates.length > 0) return { change: { kind: 'unknown', reason: reason() } }
    if (!holding) return { change: isGranted ? loses(reason()) : undefined }
    const users = distinct(
      possible.filter(({ verdict }) => verdict === 'holds').flatMap(({ grant }) => grant.users),
    )
    if (!isGranted)
      return { change: { kind: 'gains', grant: holding.name, users: user === undefined ? users : [user] } }
    const isCertain = candidates[0]?.grant === holding
    const change = isCertain ? changeOf(caller, { grant: holding, database }) : undefined
    return { change, hasSeveralUsers: users.length > 1 }
  }
}

function isFor(user: string | undefined): (possible: { readonly grant: CompiledGrant }) => boolean {
  return ({ grant: { users } }) => user === undefined || users.includes(user)
}

function loses(reason: string): Change {
  return { kind: 'loses', reason }
}

function changeOf(
  { principal, user, grant: before, identity: recorded }: RecordedCaller,
  { grant, database }: { grant: CompiledGrant; database: Database },
): Change | undefined {
  const identity = user === undefined ? undefined : identityOf(database, { grant, user, principal })
  const isOtherSession = recorded !== undefined && identity !== undefined && recorded !== identity
  if (grant.name === before && !isOtherSession) return undefined
  return { kind: 'changes', grant: grant.name, identity: isOtherSession ? identity : undefined }
}
