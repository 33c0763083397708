import type { GrantSpec } from '../../authorization/grant.ts'
import { periodOf } from '../../authorization/grant-times.ts'
import { isoTime } from '../../lib/iso-time.ts'
import type { Report } from '../problems.ts'

/** Warns of grants or operators that have ended by `now` (ms). */
export function warnOfEnded(
  entries: readonly Pick<GrantSpec, 'notBefore' | 'notAfter'>[],
  { now, report }: { now: number; report: Report },
): void {
  entries.forEach((entry, position) => {
    const period = periodOf(entry)
    if (period && period.end <= now)
      report
        .at(position)
        .problem(`ended at ${isoTime(period.end - 1)} and is for nobody any more: leave it out`, 'notAfter')
  })
}
