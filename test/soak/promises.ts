import { median } from '../bench/report.ts'
import type { Fared } from './callers.ts'
import type { SoakResult } from './run-soak.ts'

/** One thing that must hold, and what came of it. */
export interface KeptPromise {
  readonly what: string
  readonly figure: string
  readonly isKept: boolean
}

/** The longest that anybody who is not of the swarm may wait: a fault, the longest back-off after it, and a slot. */
const MAX_WAIT_MS = 60_000
const MEDIAN_WAIT_MS = 5000
/** The least share of the regulars' requests that get a token at once; the rest meets a fault, and comes again. */
const MIN_SERVED_SHARE = 0.9
/** A trend over less than this is the noise of the garbage collector. */
const MIN_TREND_MINUTES = 3
const MAX_GROWTH_SHARE = 0.15

/** Returns what must hold after a soak on any machine, and whether it does. */
export function promisesOf(result: SoakResult): KeptPromise[] {
  const { deliveries, auditLogs, callers, bugs, unexpectedEnds } = result
  const wrong = Object.values(callers).flatMap(({ outcomes }) => [...outcomes.wrong])
  return [
    nothing('tokens that a caller got and no record names', auditLogs.unrecorded),
    nothing('audit logs whose hash chain does not verify', auditLogs.broken),
    nothing('tokens that RDS would refuse', deliveries.refusals),
    {
      what: "first logins that RDS's 20 a second would throttle",
      figure: `${deliveries.throttled()} of ${deliveries.tokens}, at most ${deliveries.busiestSecond()} in a second`,
      isKept: deliveries.throttled() === 0,
    },
    nothing('tokens with less than 5 minutes left', deliveries.short),
    nothing('replies other than a token, 429, or 503 with `Retry-After`', wrong),
    nothing('servers that ended by themselves', unexpectedEnds),
    nothing('lines in the logs that only a bug writes', bugs),
    memoryPromise(result),
  ]
}

/** Returns how long callers may wait, and whether they did not wait longer. On a machine that is busy otherwise, they do. */
export function waitPromisesOf({ callers: { regulars, newcomers } }: SoakResult): KeptPromise[] {
  return [
    {
      what: 'requests of regular callers that got a token at once',
      figure: `${(servedShare(regulars) * 100).toFixed(1)} %, the longest wait ${inSeconds(longest(regulars))}`,
      isKept: servedShare(regulars) >= MIN_SERVED_SHARE && longest(regulars) <= MAX_WAIT_MS,
    },
    {
      what: 'the wait of newcomers beside the swarm',
      figure: `median ${inSeconds(median(newcomers.waitsMs))}, longest ${inSeconds(longest(newcomers))}`,
      isKept: median(newcomers.waitsMs) <= MEDIAN_WAIT_MS && longest(newcomers) <= MAX_WAIT_MS,
    },
  ]
}

function nothing(what: string, found: readonly string[]): KeptPromise {
  const [first] = found
  const figure = first === undefined ? 'none' : `${found.length}, e.g. ${first.trim().slice(0, 400)}`
  return { what, figure, isKept: found.length === 0 }
}

function memoryPromise({ memory, seconds }: SoakResult): KeptPromise {
  const what = 'growth of the memory of one server'
  if (!memory || memory.minutes < MIN_TREND_MINUTES) {
    const isTooShort = seconds < 2 * MIN_TREND_MINUTES * 60
    return { what, figure: `not measured: it needs ${MIN_TREND_MINUTES} minutes`, isKept: isTooShort }
  }
  const { growthMib, meanMib, minutes } = memory
  const share = growthMib / meanMib
  return {
    what,
    figure: `${growthMib.toFixed(0)} MiB in ${minutes.toFixed(0)} minutes, of ${meanMib.toFixed(0)} MiB`,
    isKept: share <= MAX_GROWTH_SHARE,
  }
}

export function servedShare({ outcomes }: Fared): number {
  const { served, throttled, unavailable, disconnected } = outcomes
  return served / (served + throttled + unavailable + disconnected)
}

const longest = ({ waitsMs }: Fared) => Math.max(0, ...waitsMs)
const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
