import type { AuditRecord } from '../audit/record.ts'
import type { CompiledGrant } from '../authorization/compiled-grants.ts'
import type { AccessRequest } from '../authorization/grant.ts'
import { JetonError } from '../errors.ts'
import { isoSeconds } from '../lib/iso-time.ts'
import type { Token } from '../tokens/token.ts'
import type { TokenCache } from '../tokens/token-cache.ts'
import type { TokenKey } from '../tokens/token-key.ts'
import type { GrantedAccess, PrincipalAccess } from './principal-access.ts'
import type { RequestAudit } from './request-audit.ts'

export interface VendRequest {
  readonly access: PrincipalAccess
  readonly audit: RequestAudit
  readonly request: AccessRequest
  /** The fingerprint of a token that the database rejected. */
  readonly rejectedFingerprint?: string | undefined
}

export interface Vended {
  readonly token: Token
  readonly key: TokenKey
  readonly grant: CompiledGrant
  /** False only for the request that minted the token. */
  readonly cached: boolean
}

export type VendToken = (request: VendRequest) => Promise<Vended>

/**
 * Returns the use case: principal → grant → token → record → delivery. It resolves once the record is in every sink and the
 * token may leave; a token that could not be recorded never leaves. Throws `access_denied`, `invalid_request` if several users
 * are granted and the request names none, and what `TokenCache.get` and `RequestAudit.recordVend` throw.
 */
export function createVendToken(tokenCache: TokenCache): VendToken {
  /** What records say of a token, for everyone who gets it from the cache. */
  const factsOfCached = new WeakMap<Token, Partial<AuditRecord>>()

  function factsOf(token: Token, cached: boolean): Partial<AuditRecord> {
    const known = cached && factsOfCached.get(token)
    if (known) return known
    const { identity, fingerprint, issuedAt, expiresAt } = token
    const times = { issuedAt: isoSeconds(issuedAt), expiresAt: isoSeconds(expiresAt) }
    const facts = { identity, fingerprint, ...times, cached }
    if (cached) factsOfCached.set(token, facts)
    return facts
  }

  return async ({ access, audit, request, rejectedFingerprint }) => {
    audit.add({ database: request.database, user: request.user, refused: rejectedFingerprint })
    const { grant, user, key } = decideOrThrow(access, request)
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

function decideOrThrow(access: PrincipalAccess, request: AccessRequest): GrantedAccess {
  const decision = access.decide(request)
  switch (decision.kind) {
    case 'granted':
      return decision
    case 'user-required':
      throw new JetonError('invalid_request', {
        publicMessage: `name a user: ${decision.users.join(', ')} are granted`,
      })
    case 'denied':
      // the same for a database that does not exist and one that is not granted
      throw new JetonError('access_denied', {
        publicMessage: 'no grant allows this principal a token for this database and user',
        reason: () => access.reason(request),
      })
  }
}
