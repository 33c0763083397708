import type { AuditRecord } from '../audit/record.ts'
import type { CompiledGrant } from '../authorization/compiled-grants.ts'
import type { AccessRequest } from '../authorization/grant.ts'
import { JetonError } from '../errors.ts'
import { isoSeconds } from '../lib/iso-time.ts'
import type { Token } from '../tokens/token.ts'
import type { TokenCache } from '../tokens/token-cache.ts'
import type { TokenKey } from '../tokens/token-key.ts'
import type { AccessPolicy } from './access-policy.ts'
import type { GrantedAccess, PrincipalAccess } from './principal-access.ts'
import type { RequestAudit } from './request-audit.ts'

export interface PresentedCredential {
  readonly policy: AccessPolicy
  readonly audit: RequestAudit
  /** The value of the `Authorization` header. */
  readonly authorization: string | undefined
}

/** Request → principal. Throws `unauthenticated`, or `temporarily_unavailable` where the keys to check by cannot be had. */
export async function identify({
  policy,
  audit,
  authorization,
}: PresentedCredential): Promise<PrincipalAccess> {
  const standing = policy.accessOf(await policy.authenticator.authenticate(authorization))
  audit.add({ principal: standing.auditedPrincipal })
  return standing
}

export interface VendRequest {
  readonly access: PrincipalAccess
  readonly audit: RequestAudit
  readonly request: AccessRequest
  /** Fingerprint of a token that the database refused. */
  readonly rejectedFingerprint?: string | undefined
}

export interface Vended {
  readonly token: Token
  readonly key: TokenKey
  readonly grant: CompiledGrant
  /** False only for the request that minted the token. */
  readonly cached: boolean
}

export type VendToken = (asked: VendRequest) => Promise<Vended>

/**
 * Principal → grant → token → record: what it gives is in every log, and only then may it leave. Throws `access_denied`,
 * `invalid_request` where several users are granted and none was named, and what `Book.current` and `Trail.vended` throw.
 */
export function createVendToken(tokenCache: TokenCache): VendToken {
  /** Of a token, what its records say; the same for everyone who gets it from the cache. */
  const facts = new WeakMap<Token, Partial<AuditRecord>>()

  function factsOf(token: Token, cached: boolean): Partial<AuditRecord> {
    const known = cached && facts.get(token)
    if (known) return known
    const { identity, fingerprint, issuedAt, expiresAt } = token
    const times = { issuedAt: isoSeconds(issuedAt), expiresAt: isoSeconds(expiresAt) }
    const told = { identity, fingerprint, ...times, cached }
    if (cached) facts.set(token, told)
    return told
  }

  return async ({ access, audit, request, rejectedFingerprint }) => {
    audit.add({ database: request.database, user: request.user, refused: rejectedFingerprint })
    const { grant, user, key } = granted(access, request)
    audit.add({ grant: grant.name, user })
    const { token, cached, deliver, cancel } = await tokenCache.get(key, { rejectedFingerprint })
    audit.add(factsOf(token, cached))
    await audit.recordVend().catch(cause => {
      cancel()
      throw cause
    })
    await deliver()
    return { token, key, grant, cached }
  }
}

function granted(access: PrincipalAccess, request: AccessRequest): GrantedAccess {
  const decision = access.decide(request)
  switch (decision.kind) {
    case 'granted':
      return decision
    case 'user-required':
      throw new JetonError('invalid_request', {
        publicMessage: `name a user: ${decision.users.join(', ')} are granted`,
      })
    case 'denied':
      // an unknown database and one that is not granted must look the same
      throw new JetonError('access_denied', {
        publicMessage: 'no grant allows this principal a token for this database and user',
        reason: access.reason(request),
      })
  }
}
