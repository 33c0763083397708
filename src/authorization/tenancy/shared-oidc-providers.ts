import { AGENT_SERVICES } from './agent-services.ts'
import { CI_SERVICES } from './ci-services.ts'
import { CODE_HOSTS } from './code-hosts.ts'
import { DEPLOYMENT_SERVICES } from './deployment-services.ts'
import { hostOf, normalizeIssuer } from './issuer-url.ts'
import { LOG_IN_SERVICES } from './log-in-services.ts'
import type { SharedOidcProvider } from './shared-oidc-provider.ts'

/** IAM demands the same of trust policies: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html */
export const SHARED_OIDC_PROVIDERS: readonly SharedOidcProvider[] = [
  ...CODE_HOSTS,
  ...CI_SERVICES,
  ...DEPLOYMENT_SERVICES,
  ...AGENT_SERVICES,
  ...LOG_IN_SERVICES,
]

const BY_ISSUER = new Map(
  SHARED_OIDC_PROVIDERS.flatMap(provider =>
    provider.issuers.map(issuer => [normalizeIssuer(issuer), provider] as const),
  ),
)
const HOSTS = new Set([...BY_ISSUER.keys()].map(hostOf))

/** Returns the shared provider with this `iss`, in any spelling. */
export function findSharedProvider(issuer: string): SharedOidcProvider | undefined {
  return BY_ISSUER.get(normalizeIssuer(issuer))
}

/** Returns what the JWTs of a shared provider have in the place of an `iss` that is spelled otherwise; undefined if all is well. */
export function findRightSpelling(issuer: string): string | undefined {
  const provider = findSharedProvider(issuer)
  if (!provider || provider.issuers.includes(issuer)) return undefined
  return provider.issuers.find(spelling => normalizeIssuer(spelling) === normalizeIssuer(issuer))
}

/** Whether a shared provider's `iss` is on the host of this one. */
export function isOnSharedHost(issuer: string): boolean {
  return HOSTS.has(hostOf(normalizeIssuer(issuer)))
}
