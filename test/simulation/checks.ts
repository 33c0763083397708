import { reportCheck } from '../bench/report.ts'
import { AGGRESSIONS, type AggressorOptions, type AggressorResult } from './aggressor.ts'
import { formatCount, formatDelay, formatDuration, markdownTable } from './format.ts'
import type { SaturationResult } from './saturation.ts'
import type { ScenarioResult } from './scenarios.ts'
import { isJeton } from './strategies.ts'

/** A token in use is minted again after 9 minutes at the earliest. */
const MIN_SECONDS_BETWEEN_MINTS = 540
export const DEFAULT_LIMIT = 16
const RDS_LIMIT = 20
/** How long a newcomer waits beside an aggressor: half of the 5 s for which slots are shared out, and STS. */
const MAX_NEWCOMER_WAIT_MS = 3000

/** Checks whether jeton kept its promises: each method prints its outcome and makes the process fail if one is broken. */
export interface PromiseChecks {
  checkRuns(results: readonly ScenarioResult[]): void
  checkSaturation(instances: number, result: SaturationResult): void
  checkRenewals(results: readonly ScenarioResult[]): void
  checkAggressor(options: AggressorOptions, result: AggressorResult): void
  checkCachedVends(vends: number, storeCalls: number): void
  /** All checks so far, as a Markdown table. */
  table(): string
}

export function createPromiseChecks(): PromiseChecks {
  const rows: string[][] = []

  function check(what: string, outcome: { isKept: boolean; figure: string }): void {
    reportCheck(what, outcome)
    rows.push([what, outcome.isKept ? outcome.figure : `**broken**: ${outcome.figure}`])
  }

  return {
    checkRuns(results) {
      const jeton = results.filter(({ scenario }) => isJeton(scenario.strategy))
      const sum = (of: (each: ScenarioResult) => number) => jeton.reduce((total, each) => total + of(each), 0)
      const throttled = sum(({ result }) => result.throttled)
      const gaveUp = sum(({ result }) => result.gaveUp)
      check('(c) and (d), every run below: no login throttled, nobody gives up', {
        isKept: throttled === 0 && gaveUp === 0,
        figure: `${formatCount(throttled)} of ${formatCount(sum(({ result }) => result.logins))} throttled, ${formatCount(gaveUp)} gave up`,
      })
    },
    checkSaturation(instances, { usedShare, busiestSecond, delivered }) {
      const fleet = `${instances} ${instances > 1 ? 'instances' : 'instance'}`
      check(`saturated, ${fleet}: at least 95% of the limit used, no second above it`, {
        isKept: usedShare >= 0.95 && busiestSecond <= DEFAULT_LIMIT,
        figure: `${(usedShare * 100).toFixed(1)}%, ${formatCount(delivered)} new tokens, ${busiestSecond} in the busiest second`,
      })
    },
    checkRenewals(results) {
      for (const each of results) {
        const { scenario, result } = each
        check(
          `(d) renews ${formatCount(principalsOf(each))} principals for ${hoursOf(each)} h, delay ${formatDelay(scenario.maxDelayMs)} ms`,
          {
            isKept: hasServedAll(each),
            figure: `${formatCount(result.throttled)} throttled, ${formatCount(result.refused)} refused, token p99 ${formatDuration(result.tokenWait.p99)}`,
          },
        )
      }
    },
    checkAggressor({ aggression, instances }, { waits, assumeRoleCalls, slots, usedShare }) {
      const served = waits.filter(wait => wait !== undefined)
      const longest = Math.max(...served)
      const isServed = served.length === waits.length && longest <= MAX_NEWCOMER_WAIT_MS
      check(
        `beside ${AGGRESSIONS[aggression].description}, to ${instances} of 3 instances: newcomers wait at most 3 s, no more AssumeRole than slots`,
        {
          isKept: isServed && assumeRoleCalls <= slots && (aggression !== 'rotating' || usedShare >= 0.95),
          figure: `${served.length} of ${waits.length} served, longest ${formatDuration(longest)}, ${formatCount(assumeRoleCalls)} calls for ${formatCount(slots)} slots`,
        },
      )
    },
    checkCachedVends(vends, storeCalls) {
      check('a vend of a cached token makes no store call', {
        isKept: storeCalls === 0,
        figure: `${formatCount(storeCalls)} calls for ${formatCount(vends)} vends by 3 instances`,
      })
    },
    table: () => markdownTable(['what', 'figure'], rows),
  }
}

const principalsOf = ({ scenario: { load } }: ScenarioResult) =>
  typeof load === 'string' ? 0 : load.principals
const hoursOf = ({ scenario: { load } }: ScenarioResult) => (typeof load === 'string' ? 0 : load.hours)
const hasServedAll = ({ result }: ScenarioResult) => result.throttled === 0 && result.refused === 0

/** Says up to how many principals jeton served everyone, and how near that is to the theoretical maximum. */
export function describeCapacity(results: readonly ScenarioResult[]): string {
  const sorted = [...results].sort((a, b) => principalsOf(a) - principalsOf(b))
  const firstFailure = sorted.findIndex(each => !hasServedAll(each))
  const lastSuccess = sorted[(firstFailure < 0 ? sorted.length : firstFailure) - 1]
  const most = lastSuccess ? principalsOf(lastSuccess) : 0
  const share = (perSecond: number) => {
    const maximum = perSecond * MIN_SECONDS_BETWEEN_MINTS
    return `${Math.round((most / maximum) * 100)}% of the ${formatCount(maximum)}`
  }
  const tried = sorted.map(each => formatCount(principalsOf(each))).join(', ')
  return `Of ${tried} principals, (d) served up to ${formatCount(most)} without a refusal: ${share(DEFAULT_LIMIT)} that the default limit allows in theory, ${share(RDS_LIMIT)} that RDS's own limit allows. In theory each token is renewed every 9 min; here it is renewed by the first request after 9 min, so every 10 min on average.`
}
