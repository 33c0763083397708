import { CI_SERVICE_CLAIMS } from './ci-service-claims.ts'
import { CODE_HOST_CLAIMS } from './code-host-claims.ts'
import type { KnownClaims } from './known-claims.ts'
import { PLATFORM_CLAIMS } from './platform-claims.ts'
import { ownerClaimNames } from './shared-oidc-provider.ts'
import { findSharedProvider } from './shared-oidc-providers.ts'

/** Returns what is known of the JWTs of an issuer; undefined if nothing is. Of a shared provider, the claims that pin are. */
export function findKnownClaims(issuer: string): KnownClaims | undefined {
  const known = [...CODE_HOST_CLAIMS, ...CI_SERVICE_CLAIMS, ...PLATFORM_CLAIMS].find(row =>
    row.issuer.test(issuer),
  )
  if (known) return known
  const provider = findSharedProvider(issuer)
  if (!provider) return undefined
  const claims = [...ownerClaimNames(provider), ...Object.keys(provider.misleadingClaims ?? {})]
  return { name: provider.name, issuer: /(?:)/, claims, isOpen: true }
}
