import { renderKnown } from '../audit/vend-record.ts'
import type { Principal } from '../authentication/principal.ts'
import type { CompiledGrant, CompiledGrants } from '../authorization/compiled-grants.ts'
import { type Decision, decide, type Entitlement, entitlements, grantsOf } from '../authorization/decide.ts'
import { nearestReason } from '../authorization/explain.ts'
import type { AccessRequest } from '../authorization/grant.ts'
import { type GrantsInForce, grantsInForce, isWithin, type Period } from '../authorization/grant-times.ts'
import type { Clock } from '../lib/clock.ts'
import type { Database } from '../rds/database.ts'
import { type SlotOwner, slotOwner } from '../tokens/rate-limit/slot-owner.ts'
import { type TokenKey, tokenKey } from '../tokens/token-key.ts'

/** A request that a grant allows, and the key of its token. */
export interface GrantedAccess {
  readonly kind: 'granted'
  readonly grant: CompiledGrant
  readonly user: string
  readonly key: TokenKey
  /** Whose share is charged if the token is new. */
  readonly owner: SlotOwner
  /** As long as none of the principal's grants begins or ends; undefined for always. */
  readonly period: Period | undefined
}

/** Most principals request only one or two, and what is kept for each principal must stay small. */
const MAX_CACHED_DECISIONS = 8

/** As measured, for a grant in a list: mostly its reference. */
const LISTED_GRANT_BYTES = 16

/** What one principal may have under one access policy. */
export interface PrincipalAccess {
  /** The principal as records show it: of its claims, those that its issuer's grants name. Always the same object. */
  readonly auditedPrincipal: Principal
  /** The same as text for `renderVend`; undefined if it is too long for that. */
  auditedText(): string | undefined
  /**
   * Decides a request. The grants that the principal meets are looked for once, so a denial costs next to nothing; what is
   * granted is cached, because CI jobs request the same again and again, as long as the same grants are in force.
   */
  decide(request: AccessRequest): GrantedAccess | Exclude<Decision, { kind: 'granted' }>
  /** Whether what was granted would be decided alike now, as far as time goes. Looks at no clock if no grant has times. */
  isCurrent(granted: Pick<GrantedAccess, 'period'>): boolean
  /** Returns why a request was denied, in one line for operators. Costs more than to decide: call it after the reply. */
  reason(request: AccessRequest): string
  /**
   * Returns the name of the grant that the principal's refusals count for: of those in force that it meets, the first that
   * names its subject without a wildcard, so that no others count with it; else the first. Undefined if it meets none.
   */
  countedGrant(): string | undefined
  /** Returns every database and user that the principal may have tokens for now. */
  entitlements(): Entitlement[]
  /** Returns the bytes of the lists of grants that it meets; 0 if others have the same. */
  listBytes(): number
}

export interface PrincipalAccessParts {
  grants: CompiledGrants
  clock: Pick<Clock, 'now'>
  database(name: string): Database
}

/** What a principal may have while the same of its grants are in force. */
interface Present extends GrantsInForce<CompiledGrant> {
  readonly grantedByRequest: Map<string, GrantedAccess>
}

/** Returns what a principal may have by these grants. Decides nothing before it is asked. */
export function createPrincipalAccess(
  principal: Principal,
  { grants, clock, database }: PrincipalAccessParts,
): PrincipalAccess {
  const { issuer, subject } = principal
  let ownGrants: readonly CompiledGrant[] | undefined
  let atPresent: Present | undefined

  function own(): readonly CompiledGrant[] {
    ownGrants ??= grantsOf(grants, principal)
    return ownGrants
  }

  const isPresent = (period: Period | undefined) => period === undefined || isWithin(period, clock.now())

  function present(): Present {
    if (!atPresent || !isPresent(atPresent.period))
      atPresent = { ...grantsInForce(own(), clock.now()), grantedByRequest: new Map() }
    return atPresent
  }

  function keyOf({ session, database: name }: CompiledGrant, user: string): TokenKey {
    const owner = session === 'per-principal' ? principal : undefined
    return tokenKey({ database: database(name), user, principal: owner })
  }

  const auditedPrincipal = { issuer, subject, claims: grants.auditedClaims(issuer).pick(principal) }
  let audited: { text: string | undefined } | undefined

  return {
    auditedPrincipal,
    auditedText() {
      audited ??= { text: renderKnown({ principal: auditedPrincipal }) }
      return audited.text
    },
    decide(request) {
      // no name that is granted has a line break in it
      const id = `${request.database}\n${request.user ?? ''}`
      const { grants: inForce, grantedByRequest, period } = present()
      const cached = grantedByRequest.get(id)
      if (cached) return cached
      const decision = decide(inForce, request)
      if (decision.kind !== 'granted') return decision
      const { grant, user } = decision
      const owner = slotOwner(grant.name, principal)
      const access: GrantedAccess = { kind: 'granted', grant, user, key: keyOf(grant, user), owner, period }
      if (grantedByRequest.size < MAX_CACHED_DECISIONS) grantedByRequest.set(id, access)
      return access
    },
    isCurrent: ({ period }) => isPresent(period),
    reason: request => nearestReason(grants, { principal, request, now: clock.now() }),
    countedGrant() {
      const { grants: inForce } = present()
      return (inForce.find(({ namesSubjects }) => namesSubjects) ?? inForce[0])?.name
    },
    entitlements: () => entitlements(present().grants),
    listBytes() {
      const [first] = own()
      // grants with the same principals are one group, whose list is shared
      const isShared = own().every(grant => grant.principal === first?.principal)
      // and of grants with times, those in force are another list
      const isTimed = own().some(({ period }) => period)
      return LISTED_GRANT_BYTES * own().length * (Number(!isShared) + Number(isTimed))
    },
  }
}
