import { type Clock, systemClock } from '../lib/clock.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** Returns the machine's clock, corrected by the time in AWS's replies. Corrections are logged and measured. */
export function createCorrectedClock({
  log,
  metrics,
}: {
  log: Log
  metrics: Pick<Metrics, 'onClockCorrected'>
}): Clock {
  return systemClock({
    onCorrected(offsetMs) {
      log.warn(
        { event: 'clock_corrected', offsetMs },
        "the machine's clock is offsetMs behind AWS's (0: right again); jeton corrects for it, but check NTP",
      )
      metrics.onClockCorrected(offsetMs)
    },
  })
}
