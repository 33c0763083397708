import { determineTenancy, type Tenancy } from '../authorization/tenancy/tenancy.ts'
import type { Log } from '../telemetry/log.ts'
import type { Config, IssuerConfig } from './config.ts'
import { createReport, type Problem } from './problems.ts'
import { warnOfDatabases } from './warnings/databases.ts'
import { warnOfEnded } from './warnings/ended.ts'
import { warnOfGrants } from './warnings/grants.ts'
import { warnOfIssuers } from './warnings/issuers.ts'
import { warnOfAudit, warnOfListeners } from './warnings/listeners.ts'

/** The checked parts of a configuration; those that could not be checked are left out. */
export type WarnedParts = Pick<Config, 'issuers' | 'grants' | 'operators'> & {
  readonly [part in 'server' | 'databases' | 'audit']?: Config[part] | undefined
} & {
  /** The time in milliseconds; without it, nothing is said of grants and operators that have ended. */
  readonly now?: number
}

/**
 * Returns what is allowed in a checked configuration and yet lets in more than its operator may think, or nobody. What shows
 * only when it is loaded (files, dates of certificates, its text) is not among it.
 */
export function findWarnings({
  server,
  issuers,
  databases,
  grants,
  operators = [],
  audit,
  now,
}: WarnedParts): Problem[] {
  const warnings: Problem[] = []
  const report = createReport(warnings)
  if (server) warnOfListeners(server, report.at('server'))
  const tenancies = tenanciesOf(issuers)
  warnOfIssuers(issuers, { tenancies, report: report.at('issuers') })
  if (databases) warnOfDatabases(databases, report.at('databases'))
  warnOfGrants(grants, { issuers, tenancies, report: report.at('grants') })
  if (now !== undefined) {
    warnOfEnded(grants, { now, report: report.at('grants') })
    warnOfEnded(operators, { now, report: report.at('operators') })
  }
  if (audit) warnOfAudit(audit, report.at('audit'))
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

/** Logs each warning of a configuration that is about to be used. */
export function logWarnings({ warnings = [] }: Pick<Config, 'warnings'>, log: Log): void {
  for (const { message, ...place } of warnings)
    log.warn(
      { event: 'configuration_doubtful', ...place, problem: message },
      'the configuration is used, but one thing in it is doubtful: see problem',
    )
}
