import { getOrCreate } from '../lib/maps.ts'
import { type DiscoverKeysParts, discoverKeys, pinKeys, type ReadableIssuerKeys } from './issuer-keys.ts'

/** Where the keys of an issuer come from. */
export interface KeySource {
  /** The issuer's URL, for discovery. */
  readonly issuer: string
  /** Pinned keys, which are never fetched. */
  readonly jwks?: unknown
}

export interface IssuerKeysCache {
  /** Returns the keys of an issuer: the pinned ones, else those discovered at its URL. Throws as `pinKeys` does. */
  of(issuer: KeySource): ReadableIssuerKeys
  /** Drops the discovered keys of every issuer that is not among these, and reports it healthy. */
  retain(issuers: readonly KeySource[]): void
}

/**
 * Returns a cache of discovered keys, one entry for each URL. It outlives reloads, so that the last good keys of an issuer
 * that is down at that moment stay in use.
 */
export function createIssuerKeysCache(parts: Omit<DiscoverKeysParts, 'issuerUrl'>): IssuerKeysCache {
  const discovered = new Map<string, ReadableIssuerKeys>()
  return {
    of({ issuer: issuerUrl, jwks }) {
      if (jwks) return pinKeys(jwks)
      return getOrCreate(discovered, {
        key: issuerUrl,
        create: () => discoverKeys({ ...parts, issuerUrl }),
      })
    },
    retain(issuers) {
      const retainedUrls = new Set(issuers.filter(({ jwks }) => !jwks).map(({ issuer }) => issuer))
      for (const url of discovered.keys()) {
        if (retainedUrls.has(url)) continue
        discovered.delete(url)
        parts.health.report('keys', { ok: true, of: url })
      }
    },
  }
}
