import { type DiscoveredKeysOptions, discoveredKeys, type KeySet, pinnedKeys } from './key-set.ts'

export interface IssuerKeys {
  /** The issuer's URL. */
  readonly issuer: string
  /** Pinned keys, which are never fetched. */
  readonly jwks?: unknown
}

export interface KeySets {
  of(issuer: IssuerKeys): KeySet
  /** Forgets the keys of issuers that no configuration names any more. */
  retain(issuers: readonly IssuerKeys[]): void
}

/** Discovered keys are shared by all issuers of a URL, and outlive a reload: an issuer that is down stays good for it. */
export function createKeySets(parts: Omit<DiscoveredKeysOptions, 'issuerUrl'>): KeySets {
  const discovered = new Map<string, KeySet>()
  return {
    of({ issuer: issuerUrl, jwks }) {
      if (jwks) return pinnedKeys(jwks)
      const keys = discovered.get(issuerUrl) ?? discoveredKeys({ ...parts, issuerUrl })
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
