import { findScopeDoubt } from '../authorization/grant-scope.ts'
import { findPrivateForm } from '../authorization/tenancy/private-issuers.ts'
import { determineTenancy, type Tenancy } from '../authorization/tenancy/tenancy.ts'
import type { Log } from '../telemetry/log.ts'
import type { Config } from './config.ts'
import { createReport, type Problem } from './problems.ts'

/** Returns what is allowed in a checked configuration and yet lets in more than its operator may think, in its order. */
export function findWarnings({ issuers, grants }: Pick<Config, 'issuers' | 'grants'>): Problem[] {
  const warnings: Problem[] = []
  const report = createReport(warnings)
  const tenancies = new Map<string, Tenancy>()
  for (const { name, issuer, tenancy, owner, jwks } of issuers) {
    const found = determineTenancy({ issuer, tenancy, owner, hasPinnedKeys: jwks !== undefined })
    if (found.kind !== 'problem') tenancies.set(name, found)
    const form = tenancy === undefined ? findPrivateForm(issuer) : undefined
    if (form?.hasOpenSignUp)
      report.problem(
        `whoever signs up gets JWTs of this issuer, and by default anybody can at ${form.name}: write \`tenancy: private\` if only your own users can, otherwise \`tenancy: shared\` and \`owner\``,
        'issuers',
        name,
      )
  }
  grants.forEach((grant, position) => {
    const doubt = findScopeDoubt(grant, tenancies.get(grant.principal.issuer))
    if (doubt !== undefined) report.problem(doubt, 'grants', position, 'principal')
  })
  return warnings
}

/** Logs each warning of a configuration that is about to be used. */
export function logWarnings(config: Config, log: Log): void {
  for (const { path, message } of findWarnings(config))
    log.warn(
      { event: 'configuration_doubtful', path, problem: message },
      'the configuration is used, but one thing in it is doubtful: see problem',
    )
}
