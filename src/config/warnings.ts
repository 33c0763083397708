import { findScopeDoubt } from '../authorization/grant-scope.ts'
import { findNearForm, findPrivateForm } from '../authorization/tenancy/private-issuers.ts'
import { findRightSpelling, findSharedProvider } from '../authorization/tenancy/shared-oidc-providers.ts'
import { determineTenancy, type Tenancy } from '../authorization/tenancy/tenancy.ts'
import type { Log } from '../telemetry/log.ts'
import type { Config, IssuerConfig } from './config.ts'
import { createReport, type Problem } from './problems.ts'

/** Returns what is allowed in a checked configuration and yet lets in more than its operator may think, or nobody. */
export function findWarnings({ issuers, grants }: Pick<Config, 'issuers' | 'grants'>): Problem[] {
  const warnings: Problem[] = []
  const report = createReport(warnings)
  const tenancies = tenanciesOf(issuers)
  for (const issuer of issuers)
    for (const doubt of [findSignUpDoubt(issuer), findSpellingDoubt(issuer), findTwinDoubt(issuer, issuers)])
      if (doubt !== undefined) report.problem(doubt, 'issuers', issuer.name)
  grants.forEach((grant, position) => {
    const doubt = findScopeDoubt(grant, tenancies.get(grant.principal.issuer))
    if (doubt !== undefined) report.problem(doubt, 'grants', position, 'principal')
  })
  return warnings
}

function tenanciesOf(issuers: readonly IssuerConfig[]): ReadonlyMap<string, Tenancy> {
  const tenancies = new Map<string, Tenancy>()
  for (const { name, issuer, tenancy, owner, jwks } of issuers) {
    const found = determineTenancy({ issuer, tenancy, owner, hasPinnedKeys: jwks !== undefined })
    if (found.kind !== 'problem') tenancies.set(name, found)
  }
  return tenancies
}

function findSignUpDoubt({ issuer, tenancy }: IssuerConfig): string | undefined {
  const form = tenancy === undefined ? findPrivateForm(issuer) : undefined
  if (!form?.hasOpenSignUp) return undefined
  return `whoever signs up gets JWTs of this issuer, and by default anybody can at ${form.name}: write \`tenancy: private\` if only your own users can, otherwise \`tenancy: shared\` and \`owner\``
}

function findSpellingDoubt({ issuer }: IssuerConfig): string | undefined {
  const isExact = findPrivateForm(issuer) !== undefined
  const spelling = findRightSpelling(issuer) ?? (isExact ? undefined : findNearForm(issuer)?.iss)
  if (spelling === undefined) return undefined
  return `no JWT is accepted, because \`iss\` is compared to the letter and reads ${spelling} there: write that as \`issuer\``
}

/** Who can get JWTs does not depend on their audience, so one of two issuers with a URL is declared as it is not. */
function findTwinDoubt(
  { issuer, tenancy, jwks }: IssuerConfig,
  issuers: readonly IssuerConfig[],
): string | undefined {
  if (tenancy === 'shared') return undefined
  const twin = issuers.find(other => other.issuer === issuer && other.tenancy === 'shared')
  const haveOwnKeys = jwks !== undefined && twin?.jwks !== undefined
  if (!twin || haveOwnKeys || findSharedProvider(issuer)) return undefined
  return `issuers.${twin.name} has the same URL and is shared, so strangers may get JWTs for this audience too, and no grant has to pin an owner: write \`tenancy: shared\` and \`owner\` here as well, unless the issuer keeps strangers from this audience`
}

/** Logs each warning of a configuration that is about to be used. */
export function logWarnings({ warnings = [] }: Pick<Config, 'warnings'>, log: Log): void {
  for (const { message, ...place } of warnings)
    log.warn(
      { event: 'configuration_doubtful', ...place, problem: message },
      'the configuration is used, but one thing in it is doubtful: see problem',
    )
}
