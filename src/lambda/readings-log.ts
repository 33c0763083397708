import type { Service } from '../service.ts'
import type { Log } from '../telemetry/log.ts'
import type { RateReading, Readings } from '../telemetry/readings.ts'

const SECOND_MS = 1000
const DAY_MS = 86_400_000
/** What was read longer ago says nothing of the slots that are free now: others have reserved since. */
const MAX_READING_AGE_MS = 10 * SECOND_MS

export interface ReadingsLogParts {
  service: Pick<Service, 'refreshFleetSlots'> & {
    readonly readings: Pick<Readings, 'rates' | 'expiries' | 'issuerKeys'>
  }
  log: Log
  clock: { now(): number }
}

/** Logs what an execution environment knows of itself, for the metric filters of `infra/metrics.yml`. */
export interface ReadingsLog {
  /** Reads the fleet's slots from the store, if new tokens were delivered since the last lines. Never rejects. */
  refresh(): Promise<void>
  /**
   * Writes a line for each RDS resource whose slots were read just now, and one for what ends soon. Numbers that are not known
   * are left out.
   */
  write(): void
}

/** Returns a log of readings; nothing is read or written before it is asked to. */
export function createReadingsLog({ service, log, clock }: ReadingsLogParts): ReadingsLog {
  const { readings, refreshFleetSlots } = service
  /** How many new tokens of a resource had been delivered at the last lines. */
  const written = new Map<string, number>()
  const deliveredSince = ({ resource, delivered }: RateReading) => delivered - (written.get(resource) ?? 0)

  function writeSlots(rate: RateReading): void {
    const delivered = deliveredSince(rate)
    written.set(rate.resource, rate.delivered)
    const { resource, perSecond, fleet } = rate
    if (!fleet || Math.abs(clock.now() - fleet.readAt) > MAX_READING_AGE_MS) return
    const { free, reserved } = fleet
    log.info(
      { event: 'slots_read', resource, perSecond, free, reserved, delivered },
      "slots for new tokens, as the fleet's record says",
    )
  }

  return {
    async refresh() {
      if (readings.rates().some(rate => deliveredSince(rate) !== 0)) await refreshFleetSlots()
    },
    write() {
      for (const rate of readings.rates()) writeSlots(rate)
      const now = clock.now()
      log.info(
        { event: 'instance_read', ...caBundleDays(readings, now), ...failingKeys(readings, now) },
        'what this execution environment knows of itself',
      )
    },
  }
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
