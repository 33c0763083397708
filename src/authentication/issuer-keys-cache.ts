import { type DiscoverKeysOptions, discoverKeys, type IssuerKeys, pinKeys } from './issuer-keys.ts'

export interface KeySource {
  /** The issuer's URL. */
  readonly issuer: string
  /** Pinned keys, which are never fetched. */
  readonly jwks?: unknown
}

export interface IssuerKeysCache {
  of(issuer: KeySource): IssuerKeys
  /** Forgets the keys of issuers that no configuration names any more. */
  retain(issuers: readonly KeySource[]): void
}

/** Discovered keys are shared by all issuers of a URL, and outlive a reload: an issuer that is down stays good for it. */
export function createIssuerKeysCache(parts: Omit<DiscoverKeysOptions, 'issuerUrl'>): IssuerKeysCache {
  const discovered = new Map<string, IssuerKeys>()
  return {
    of({ issuer: issuerUrl, jwks }) {
      if (jwks) return pinKeys(jwks)
      const keys = discovered.get(issuerUrl) ?? discoverKeys({ ...parts, issuerUrl })
      discovered.set(issuerUrl, keys)
      return keys
    },
    retain(issuers) {
      const named = new Set(issuers.filter(({ jwks }) => !jwks).map(({ issuer }) => issuer))
      for (const url of discovered.keys()) {
        if (named.has(url)) continue
        discovered.delete(url)
        parts.health.report('keys', { ok: true, of: url })
      }
    },
  }
}
