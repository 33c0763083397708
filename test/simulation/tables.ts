import { AGGRESSIONS, type AggressorOptions, type AggressorResult } from './aggressor.ts'
import { formatCount, formatDelay, formatDuration, markdownTable } from './format.ts'
import type { HoardingResult } from './hoarding.ts'
import type { ScenarioResult } from './scenarios.ts'
import type { StrategyName } from './strategies.ts'

const HEAD = [
  'strategy',
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

/** A Markdown table of all runs of one load profile. */
export function runsTable(results: readonly ScenarioResult[]): string {
  return markdownTable(HEAD, results.map(row))
}

function row({ scenario, result }: ScenarioResult): string[] {
  const { logins, throttled, gaveUp, tokenWait, loginWait, busiestSecond, vends, storeCalls, stsCalls } =
    result
  const perThousandVends = (calls: number) => ((calls / Math.max(1, vends)) * 1000).toFixed(1)
  return [
    `(${scenario.strategy})`,
    formatDelay(scenario.maxDelayMs),
    formatCount(logins),
    formatCount(throttled),
    formatCount(gaveUp),
    formatDuration(tokenWait.p50),
    formatDuration(tokenWait.p99),
    formatDuration(tokenWait.max),
    formatDuration(loginWait.p99),
    formatDuration(loginWait.max),
    formatCount(busiestSecond),
    perThousandVends(storeCalls),
    perThousandVends(stsCalls),
    formatCount(result.refused),
  ]
}

/** A Markdown table of what hoarded tokens cost. */
export function hoardingTable(
  results: readonly { strategy: StrategyName; hoarding: HoardingResult }[],
): string {
  const head = ['strategy', 'tokens kept unused', 'logins throttled', 'all logged in after']
  return markdownTable(
    head,
    results.map(({ strategy, hoarding: { principals, throttled, allLoggedInAfterMs } }) => [
      `(${strategy})`,
      formatCount(principals),
      formatCount(throttled),
      formatDuration(allLoggedInAfterMs),
    ]),
  )
}

/** A Markdown table of how newcomers fared beside aggressors. */
export function aggressorTable(
  runs: readonly { options: AggressorOptions; result: AggressorResult }[],
): string {
  const head = [
    'aggressor',
    'instances it calls',
    'waits of the 12 newcomers, s',
    'of the limit used',
    'AssumeRole',
    'in the busiest second',
    '429',
  ]
  const seconds = (wait: number | undefined) => (wait === undefined ? 'none' : (wait / 1000).toFixed(1))
  return markdownTable(
    head,
    runs.map(({ options: { aggression, instances }, result }) => [
      AGGRESSIONS[aggression].description,
      `${instances}`,
      result.waits.map(seconds).join(' '),
      `${Math.round(result.usedShare * 100)}%`,
      formatCount(result.assumeRoleCalls),
      formatCount(result.busiestStsSecond),
      formatCount(result.refused),
    ]),
  )
}
