import { setTimeout as pause } from 'node:timers/promises'
import type { AuditRecord } from '../../../src/audit/record.ts'
import { type Answer, type Fleet, roleOf } from './fleet.ts'
import type { Jeton } from './jeton.ts'

/** Returns the sum of a metric over instances; with `labels`, only of lines that contain that text. */
export async function sumMetric(instances: readonly Jeton[], metric: string, labels = ''): Promise<number> {
  const pages = await Promise.all(
    instances.map(async ({ admin }) => (await fetch(`${admin}/metrics`)).text()),
  )
  const lines = pages.flatMap(page => page.split('\n'))
  const matching = lines.filter(line => /^[^{ ]+/.exec(line)?.[0] === metric && line.includes(labels))
  return matching.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** Returns how many tokens the instances signed for a database. */
export const countMintedTokens = (instances: readonly Jeton[], database: string) =>
  sumMetric(instances, 'jeton_tokens_minted_total', `database="${database}"`)

/** Returns how many times a database's role was assumed. */
export const countAssumeRoleCalls = ({ environment }: Fleet, database: string) =>
  environment.sts.calls.filter(({ roleArn }) => roleArn === roleOf(database)).length

/** Returns what `/readyz` says is degraded. */
export async function readDegraded({ url }: Jeton): Promise<readonly string[]> {
  return ((await (await fetch(`${url}/readyz`)).json()) as { degraded: string[] }).degraded
}

/** Returns the audit records that instances have written to stdout. */
export function recordsOf(instances: readonly Jeton[]): AuditRecord[] {
  return instances.flatMap(({ stdout }) => stdout.map(line => JSON.parse(line) as AuditRecord))
}

export interface ServedAnswer {
  readonly answer: Answer
  /** When the answer arrived (ms). */
  readonly at: number
  /** Earlier answers, each with `Retry-After`. */
  readonly refusals: readonly Answer[]
}

/** Requests again after each `Retry-After`, until an answer has none. */
export async function requestUntilServed(requestToken: () => Promise<Answer>): Promise<ServedAnswer> {
  const refusals: Answer[] = []
  for (;;) {
    const answer = await requestToken()
    const retryAfter = answer.headers.get('retry-after')
    if (retryAfter === null) return { answer, at: Date.now(), refusals }
    refusals.push(answer)
    await pause(Number(retryAfter) * 1000)
  }
}
