import { judged } from '../bench/report.ts'
import type { Saturated } from './saturation.ts'
import { count, type Result, seconds, table, toldDelay } from './tables.ts'

/** 9 minutes lie between the mints of a token in use, at the least. */
const BETWEEN_MINTS_S = 540
export const DEFAULT_PACE = 16
const RDS_LIMIT = 20

/** Says of each promise whether the plays kept it, and makes the run fail where they did not. */
export interface Verdicts {
  plays(results: readonly Result[]): void
  saturation(instances: number, saturated: Saturated): void
  renewal(results: readonly Result[]): void
  cachedVends(vends: number, storeCalls: number): void
  /** All of them, as a Markdown table. */
  table(): string
}

export function createVerdicts(): Verdicts {
  const rows: string[][] = []

  function judge(what: string, verdict: { isKept: boolean; figure: string }): void {
    judged(what, verdict)
    rows.push([what, verdict.isKept ? verdict.figure : `**broken**: ${verdict.figure}`])
  }

  return {
    plays(results) {
      const jeton = results.filter(({ job }) => job.contender === 'c' || job.contender === 'd')
      const sum = (of: (result: Result) => number) => jeton.reduce((total, result) => total + of(result), 0)
      const throttled = sum(({ played }) => played.throttled)
      const gaveUp = sum(({ played }) => played.gaveUp)
      judge('(c) and (d), every play below: no login throttled, nobody gives up', {
        isKept: throttled === 0 && gaveUp === 0,
        figure: `${count(throttled)} of ${count(sum(({ played }) => played.logins))} throttled, ${count(gaveUp)} gave up`,
      })
    },
    saturation(instances, { used, busiestSecond, handedOut }) {
      const fleet = `${instances} ${instances > 1 ? 'instances' : 'instance'}`
      judge(`saturated, ${fleet}: at least 95% of the pace used, no second above it`, {
        isKept: used >= 0.95 && busiestSecond <= DEFAULT_PACE,
        figure: `${(used * 100).toFixed(1)}% by ${count(handedOut)} hand-outs, ${busiestSecond} in the busiest second`,
      })
    },
    renewal(results) {
      for (const result of results) {
        const { job, played } = result
        judge(
          `(d) renews ${count(principalsOf(result))} principals for ${hoursOf(result)} h, delay ${toldDelay(job.delayMs)} ms`,
          {
            isKept: isHeld(result),
            figure: `${count(played.throttled)} throttled, ${count(played.refused)} refused, token p99 ${seconds(played.tokenWait.p99)}`,
          },
        )
      }
    },
    cachedVends(vends, storeCalls) {
      judge('a vend from the first-level cache makes no store call', {
        isKept: storeCalls === 0,
        figure: `${count(storeCalls)} calls for ${count(vends)} vends by 3 instances`,
      })
    },
    table: () => table(['what', 'figure'], rows),
  }
}

const principalsOf = ({ job: { load } }: Result) => (typeof load === 'string' ? 0 : load.principals)
const hoursOf = ({ job: { load } }: Result) => (typeof load === 'string' ? 0 : load.hours)
const isHeld = ({ played }: Result) => played.throttled === 0 && played.refused === 0

/** The most principals that were held, with all fewer ones that were tried held too; and how near that is to the theory. */
export function toldMost(results: readonly Result[]): string {
  const tried = [...results].sort((a, b) => principalsOf(a) - principalsOf(b))
  const firstLost = tried.findIndex(result => !isHeld(result))
  const last = tried[(firstLost < 0 ? tried.length : firstLost) - 1]
  const most = last ? principalsOf(last) : 0
  const share = (perSecond: number) =>
    `${Math.round((most / (perSecond * BETWEEN_MINTS_S)) * 100)}% of the ${count(perSecond * BETWEEN_MINTS_S)}`
  return `Of ${tried.map(result => count(principalsOf(result))).join(', ')} principals, (d) held up to ${count(most)}: ${share(DEFAULT_PACE)} that theory gives the default pace, ${share(RDS_LIMIT)} that it gives RDS's limit. Theory has each token renewed every 9 min; here that is when somebody first asks after 9 min, which is 10 min on average.`
}
