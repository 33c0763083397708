import type { Hoarded } from './hoarded.ts'
import type { Job } from './jobs.ts'
import type { Played } from './play.ts'

export interface Result {
  readonly job: Job
  readonly played: Played
}

const HEAD = [
  'contender',
  'delay, ms',
  'logins',
  'throttled',
  'gave up',
  'token: p50',
  'p99',
  'longest',
  'login: p99',
  'longest',
  'new tokens/s',
  'store',
  'STS',
  '429',
]

/** A Markdown table of all plays of one load. */
export function loadTable(results: readonly Result[]): string {
  return table(HEAD, results.map(row))
}

function row({ job, played }: Result): string[] {
  const { logins, throttled, gaveUp, tokenWait, loginWait, busiestSecond, vends, storeCalls, stsCalls } =
    played
  const perThousand = (calls: number) => ((calls / Math.max(1, vends)) * 1000).toFixed(1)
  return [
    `(${job.contender})`,
    toldDelay(job.delayMs),
    count(logins),
    count(throttled),
    count(gaveUp),
    seconds(tokenWait.p50),
    seconds(tokenWait.p99),
    seconds(tokenWait.longest),
    seconds(loginWait.p99),
    seconds(loginWait.longest),
    count(busiestSecond),
    perThousand(storeCalls),
    perThousand(stsCalls),
    count(played.refused),
  ]
}

export function hoardTable(hoards: readonly { told: string; hoarded: Hoarded }[]): string {
  const head = ['contender', 'tokens kept unused', 'logins throttled', 'all in after']
  return table(
    head,
    hoards.map(({ told, hoarded: { principals, throttled, allInAfterMs } }) => [
      told,
      count(principals),
      count(throttled),
      seconds(allInAfterMs),
    ]),
  )
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(3, ...all.map(cells => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

export const toldDelay = (delayMs: number) => (delayMs === 0 ? '0' : `0–${delayMs}`)

export const count = (n: number) => n.toLocaleString('en-US')

/** Milliseconds, told in what is read easily. */
export function seconds(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 100_000 ? `${(ms / 1000).toFixed(1)} s` : `${count(Math.round(ms / 1000))} s`
}
