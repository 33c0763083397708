import type { AuditRecord } from '../audit/record.ts'
import type { CompiledGrant } from '../authorization/compiled-grants.ts'
import type { AccessRequest } from '../authorization/grant.ts'
import { JetonError } from '../errors.ts'
import { isoSeconds } from '../lib/iso-time.ts'
import type { Token } from '../tokens/token.ts'
import type { TokenCache } from '../tokens/token-cache.ts'
import type { TokenDelivery } from '../tokens/token-delivery.ts'
import type { TokenKey } from '../tokens/token-key.ts'
import type { GrantedAccess, PrincipalAccess } from './principal-access.ts'
import type { RequestAudit } from './request-audit.ts'

/** What a principal may have, and what may be asked after each wait: whether a reload has replaced the policy that says so. */
export interface VerifiedAccess {
  readonly access: PrincipalAccess
  /** Default: `access` is good until the end. */
  readonly renewal?: AccessRenewal | undefined
}

export interface AccessRenewal {
  /** Whether another policy is in use by now. Costs nothing. */
  isDue(): boolean
  /** Verifies the credential under the policy in use. Throws as authentication does. */
  renew(): Promise<VerifiedAccess>
}

export interface VendRequest extends VerifiedAccess {
  readonly audit: RequestAudit
  readonly request: AccessRequest
  /** The fingerprint of a token that the database rejected. */
  readonly rejectedFingerprint?: string | undefined
  /** How long the token must last at least (ms), if longer than 5 minutes. */
  readonly minimumMs?: number | undefined
}

export interface Vended {
  readonly token: Token
  readonly key: TokenKey
  readonly grant: CompiledGrant
  /** False only for the request that minted the token. */
  readonly cached: boolean
}

interface Obtained extends VerifiedAccess {
  granted: GrantedAccess
  delivery: TokenDelivery
}

export type VendToken = (request: VendRequest) => Promise<Vended>

/**
 * Returns the use case: principal → grant → token → record → delivery. It resolves once the record is in every sink and the
 * token may leave; a token that could not be recorded never leaves. Whoever has waited is decided again if the access policy was
 * replaced meanwhile, or a grant began or ended: before the record, and before the token leaves. Throws `access_denied`, `invalid_request` if several users
 * are granted and the request names none, and what `TokenCache.get` and `RequestAudit.recordVend` throw.
 */
export function createVendToken(tokenCache: Pick<TokenCache, 'get'>): VendToken {
  function getToken(
    { key, owner }: GrantedAccess,
    { rejectedFingerprint, minimumMs }: VendRequest,
  ): Promise<TokenDelivery> {
    return tokenCache.get(key, { owner, rejectedFingerprint, minimumMs })
  }

  /** Decides a request that has waited once more, until nothing changes meanwhile. */
  async function decideAgain(obtained: Obtained, vendRequest: VendRequest): Promise<Obtained> {
    const { audit, request } = vendRequest
    let { access, granted, delivery, renewal } = obtained
    while (isOutdated({ access, renewal }, granted)) {
      audit.add({ grant: undefined, user: request.user })
      const { id } = granted.key
      try {
        const verified: VerifiedAccess = await renewIfDue({ access, renewal })
        access = verified.access
        renewal = verified.renewal
        granted = decideAndNote(access, vendRequest)
      } catch (cause) {
        delivery.cancel()
        throw cause
      }
      if (granted.key.id === id) continue
      delivery.cancel()
      delivery = await getToken(granted, vendRequest)
    }
    return { access, granted, delivery, renewal }
  }

  return async vendRequest => {
    const { audit, request, rejectedFingerprint } = vendRequest
    audit.add({ database: request.database, user: request.user, refused: rejectedFingerprint })
    let { access, renewal } = vendRequest
    let granted = decideAndNote(access, vendRequest)
    let delivery = await getToken(granted, vendRequest)
    if (isOutdated(vendRequest, granted))
      ({ access, granted, delivery, renewal } = await decideAgain(
        { access, granted, delivery, renewal },
        vendRequest,
      ))
    const { token, cached } = delivery
    audit.add(factsOf(token, { cached }))
    await audit.recordVend().catch(cause => {
      delivery.cancel()
      throw cause
    })
    await delivery.deliver(granted.owner)
    if (isOutdated({ access, renewal }, granted))
      checkStillGranted(await renewIfDue({ access, renewal }), { request, granted })
    return { token, key: granted.key, grant: granted.grant, cached }
  }
}

/** Returns what a record says of a token. */
export function factsOf(
  { identity, fingerprint, issuedAt, expiresAt }: Token,
  { cached }: { cached: boolean },
): Partial<AuditRecord> {
  return { identity, fingerprint, issuedAt: isoSeconds(issuedAt), expiresAt: isoSeconds(expiresAt), cached }
}

/** Whether the policy was replaced since something was granted, or a grant has begun or ended. Costs nothing without times. */
export function isOutdated({ access, renewal }: VerifiedAccess, granted: GrantedAccess): boolean {
  return renewal?.isDue() === true || !access.isCurrent(granted)
}

/** Returns what the policy in use lets the caller have. Throws as authentication does. */
export async function renewIfDue(verified: VerifiedAccess): Promise<VerifiedAccess> {
  return verified.renewal?.isDue() ? verified.renewal.renew() : verified
}

/** Throws if the policy by now in use does not grant this very token: it may have been another user's, or another role's. */
export function checkStillGranted(
  { access }: VerifiedAccess,
  { request, granted }: { request: AccessRequest; granted: GrantedAccess },
): void {
  const { key } = decideOrThrow(access, { ...request, user: granted.user })
  if (key.id !== granted.key.id)
    throw new JetonError('temporarily_unavailable', {
      publicMessage: 'the configuration of this database has just changed; try again',
      reason:
        'a reload, or a grant that began or ended, changed the role, the endpoint or the session of the database after the token was recorded',
      retryAfterMs: 1000,
    })
}

/** Decides, and adds to the record what was granted. */
function decideAndNote(access: PrincipalAccess, { audit, request }: VendRequest): GrantedAccess {
  const granted = decideOrThrow(access, request)
  audit.add({ grant: granted.grant.name, user: granted.user })
  return granted
}

function decideOrThrow(access: PrincipalAccess, request: AccessRequest): GrantedAccess {
  const granted = decideOrRefuse(access, request)
  if (granted instanceof JetonError) throw granted
  return granted
}

/**
 * Returns what was granted; else the refusal: `access_denied`, or `invalid_request` if the request must name a user. To throw it
 * through Fastify would cost more than to decide.
 */
export function decideOrRefuse(access: PrincipalAccess, request: AccessRequest): GrantedAccess | JetonError {
  const decision = access.decide(request)
  switch (decision.kind) {
    case 'granted':
      return decision
    case 'user-required':
      return new JetonError('invalid_request', {
        publicMessage: `name a user: ${decision.users.join(', ')} are granted`,
      })
    case 'denied':
      // the same for a database that does not exist and one that is not granted
      return new JetonError('access_denied', {
        publicMessage: 'no grant allows this principal a token for this database and user',
        reason: () => access.reason(request),
      })
  }
}
