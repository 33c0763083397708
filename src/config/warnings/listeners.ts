import { isLoopback } from '../../lib/loopback.ts'
import type { Config } from '../config.ts'
import type { Report } from '../problems.ts'

/** Warns of /metrics where others can read it, which needs no credential. */
export function warnOfListeners({ admin }: Config['server'], report: Report): void {
  if (admin && !isLoopback(admin.host))
    report.problem(
      `is ${admin.host}, beyond this machine, and whoever reaches it reads /metrics, with the names of databases, without a credential: let a firewall or a network policy admit only who collects them`,
      'admin',
      'host',
    )
}

/** Warns of an audit log that nothing keeps. */
export function warnOfAudit(audit: Config['audit'], report: Report): void {
  if (audit.every(({ type }) => type === 'stdout'))
    report.problem(
      'is only on stdout, which is not durable: what reads it may lose records of tokens that were delivered; add a sink of type file or dynamodb',
    )
}
