import { formatCount, formatDuration, markdownTable } from '../../simulation/format.ts'
import { median } from '../report.ts'
import type { Burst } from './burst.ts'
import type { JobResult } from './run-job.ts'

export type Named<T> = T & { readonly name: string }

/** Runs of one job at a time. */
export interface Alone {
  readonly results: readonly JobResult[]
}

/** A Markdown table: medians of what a job takes that has the machine for itself. */
export function aloneTable(ways: readonly Named<Alone>[]): string {
  return markdownTable(
    ['a job alone', 'until it has its token', 'CPU'],
    ways.map(({ name, results }) => [
      name,
      formatDuration(median(results.map(({ wallMs }) => wallMs))),
      formatDuration(median(results.map(({ cpuMs }) => cpuMs))),
    ]),
  )
}

/** A Markdown table: what many jobs at once cost, and what STS and RDS see of them. */
export function burstsTable(bursts: readonly Named<Burst>[]): string {
  const head = [
    `${formatCount(bursts[0]?.jobs ?? 0)} jobs at once`,
    'until the last has its token',
    'CPU of all',
    'of jeton',
    'STS calls',
    'tokens',
    'throttled by RDS',
    'longest wait',
    '… if a role is one identity',
  ]
  return markdownTable(
    head,
    bursts.map(({ name, wallMs, jobsCpuMs, serverCpuMs, roleSessions, tokens, bySession, byRole }) => [
      name,
      formatDuration(wallMs),
      formatDuration(jobsCpuMs),
      serverCpuMs > 0 ? formatDuration(serverCpuMs) : '–',
      formatCount(roleSessions),
      formatCount(tokens),
      formatCount(bySession.throttled),
      formatDuration(bySession.longestWaitMs),
      `${formatCount(byRole.throttled)}, ${formatDuration(byRole.longestWaitMs)}`,
    ]),
  )
}
