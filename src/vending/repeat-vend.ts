import type { AuditRecord } from '../audit/record.ts'
import { renderKnown } from '../audit/vend-record.ts'
import { JetonError } from '../errors.ts'
import type { Token } from '../tokens/token.ts'
import type { TokenCache } from '../tokens/token-cache.ts'
import type { TokenKey } from '../tokens/token-key.ts'
import {
  checkStillGranted,
  decideOrRefuse,
  factsOf,
  isOutdated,
  renewIfDue,
  type Vended,
  type VendRequest,
} from './vend-token.ts'

/** Called once: with the token, which may leave, or with what `VendToken` would reject with. Must not throw. */
export type OnVended = (error: unknown, vended?: Vended) => void

/**
 * Vends a token that `VendToken` has vended before, and calls `onVended`, never before it returns. Returns false, and has
 * recorded nothing, if `VendToken` must do it. Returns, in place of calling anybody, the `access_denied` or `invalid_request` that
 * it would reject with.
 */
export type RepeatVend = (request: VendRequest, onVended: OnVended) => boolean | JetonError

/** What records say of a token to everyone who gets it from the cache. */
interface KnownFacts {
  readonly facts: Partial<AuditRecord>
  /** The same as text; undefined if it is too long for that. */
  readonly text: string | undefined
}

/**
 * Returns the use case for nearly all requests: the credential and the token are at hand, so there is nothing to wait for but
 * the audit log. It does what `VendToken` does, in the same order and with the same checks, without a promise, and renders
 * only what is new in a record.
 */
export function createRepeatVend(tokenCache: Pick<TokenCache, 'recall'>): RepeatVend {
  /** A token is for one user of one database, by its name: both are in the role session that signed it. */
  const knownFacts = new WeakMap<Token, KnownFacts>()

  function knownFactsOf(token: Token, { database: { name: database }, user }: TokenKey): KnownFacts {
    const known = knownFacts.get(token)
    if (known) return known
    const facts = { database, user, ...factsOf(token, { cached: true }) }
    const rendered = { facts, text: renderKnown(facts) }
    knownFacts.set(token, rendered)
    return rendered
  }

  return (vendRequest, onVended) => {
    const { access, renewal, audit, request, rejectedFingerprint, minimumMs } = vendRequest
    if (rejectedFingerprint !== undefined || renewal?.isDue()) return false
    audit.add({ database: request.database, user: request.user })
    const granted = decideOrRefuse(access, request)
    if (granted instanceof JetonError) return granted
    const { key, grant } = granted
    const token = tokenCache.recall(key, { minimumMs })
    if (!token) return false
    const { facts, text } = knownFactsOf(token, key)
    audit.add(facts)
    audit.add({ grant: grant.name })
    const principal = access.auditedText()
    const isKnown = principal !== undefined && text !== undefined
    audit.recordRepeat(isKnown ? { principal, grant: grant.name, token: text } : undefined, error => {
      if (error) return onVended(error)
      const vended = { token, key, grant, cached: true }
      if (!isOutdated(vendRequest, granted)) return onVended(undefined, vended)
      renewIfDue(vendRequest)
        .then(renewed => checkStillGranted(renewed, { request, granted }))
        .then(() => onVended(undefined, vended), onVended)
    })
    return true
  }
}
