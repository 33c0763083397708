import type { Log } from '../telemetry/log.ts'
import type { RateReading, Readings } from '../telemetry/readings.ts'

const SECOND_MS = 1000
const DAY_MS = 86_400_000
const MINUTE_SECONDS = 60
/** What was read longer ago says nothing of the slots that are free now: others have reserved since. */
const MAX_READING_AGE_MS = 10 * SECOND_MS

export interface LogReadingsParts {
  log: Log
  /** In milliseconds since the epoch. */
  now: number
}

/** Returns whether new tokens were delivered within the last minute: only then is it worth a call to read the fleet's slots. */
export function hasDelivered(readings: Pick<Readings, 'rates'>): boolean {
  return readings.rates().some(rate => deliveredLastMinute(rate) > 0)
}

/**
 * Logs what an execution environment knows of itself, for the metric filters of `infra/metrics.yml`: a line for each RDS
 * resource whose slots were read just now, and one for what ends soon. Numbers that are not known are left out.
 */
export function logReadings(
  readings: Pick<Readings, 'rates' | 'expiries' | 'issuerKeys'>,
  { log, now }: LogReadingsParts,
): void {
  for (const rate of readings.rates()) logSlots(rate, { log, now })
  const fields = {
    event: 'instance_read',
    ...caBundleDays(readings, now),
    ...failingKeys(readings, now),
  } as const
  log.info(fields, 'what this execution environment knows of itself')
}

function logSlots(rate: RateReading, { log, now }: LogReadingsParts): void {
  const { resource, perSecond, waiting, fleet } = rate
  if (!fleet || Math.abs(now - fleet.readAt) > MAX_READING_AGE_MS) return
  const { free, reserved } = fleet
  const callers = waiting.reduce((sum, each) => sum + each.callers, 0)
  const own = { delivered: deliveredLastMinute(rate), waiting: callers }
  log.info(
    { event: 'slots_read', resource, perSecond, free, reserved, ...own },
    "slots for new tokens, as the fleet's record says",
  )
}

function deliveredLastMinute({ deliveredBySecond }: RateReading): number {
  return deliveredBySecond.slice(-MINUTE_SECONDS).reduce((sum, count) => sum + count, 0)
}

function caBundleDays(readings: Pick<Readings, 'expiries'>, now: number) {
  const ends = readings.expiries().flatMap(({ kind, notAfter }) => (kind === 'ca-bundle' ? [notAfter] : []))
  return ends.length > 0 && { caBundleDays: wholeUnits(Math.min(...ends) - now, DAY_MS) }
}

/** Keys that nobody needs are old without harm: only those of issuers that fail count. */
function failingKeys(readings: Pick<Readings, 'issuerKeys'>, now: number) {
  const fetched = readings
    .issuerKeys()
    .flatMap(({ isFailing, fetchedAt }) => (isFailing && fetchedAt !== undefined ? [fetchedAt] : []))
  return fetched.length > 0 && { failingKeysSeconds: wholeUnits(now - Math.min(...fetched), SECOND_MS) }
}

/** Filters of CloudWatch take numbers from 0 up. */
const wholeUnits = (ms: number, unitMs: number) => Math.max(0, Math.floor(ms / unitMs))
