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
