import type { Clock } from '../../lib/clock.ts'
import { type DatedReply, middleMs, offsetAfter, TOLERANCE_MS } from '../../lib/clock-offset.ts'
import type { Fetch } from '../../lib/fetch-json.ts'
import { failed, type LiveResult, ok, warning } from './live-check.ts'

/** AWS refuses requests that are signed further from its own time. */
const MAX_DIFFERENCE_MS = 5 * 60_000

/** What the replies of servers say of this machine's clock. */
export interface ObservedDates {
  /** The machine's clock, which nothing corrects. */
  readonly clock: Clock
  readonly fetch: Fetch
  /** Compares the machine's clock with the dates so far: with AWS's, or else with the others'. */
  compare(): LiveResult
}

/** Returns a clock and a `fetch` that remember the `Date` of replies. */
export function observeServerDates({ clock, fetch }: { clock: Clock; fetch: Fetch }): ObservedDates {
  const ofAws: DatedReply[] = []
  const ofOthers: DatedReply[] = []

  function observeInto(replies: DatedReply[]): (serverDate: Date) => void {
    const requestedAt = clock.now()
    return date => void replies.push({ date: date.getTime(), requestedAt, receivedAt: clock.now() })
  }

  return {
    clock: { ...clock, observe: () => observeInto(ofAws) },
    async fetch(url, init) {
      const onDate = observeInto(ofOthers)
      const response = await fetch(url, init)
      const date = response.headers.get('date')
      // a reply that a cache has kept is as old as it says
      const ageMs = Number(response.headers.get('age') ?? 0) * 1000
      if (date !== null) onDate(new Date(Date.parse(date) + ageMs))
      return response
    },
    compare() {
      if (ofAws.length > 0) return describeDifference(differenceOf(ofAws), "AWS's")
      if (ofOthers.length > 0) return describeDifference(differenceOf(ofOthers), "the issuers'")
      return warning('not compared: no server replied with its time')
    },
  }
}

/** Returns how far the machine's clock is behind (ms), as that reply says which differs most; 0 if none is certain to differ. */
function differenceOf(replies: readonly DatedReply[]): number {
  const differences = replies.map(reply => middleMs(offsetAfter(undefined, reply)))
  return differences.reduce((most, each) => (Math.abs(each) > Math.abs(most) ? each : most), 0)
}

function describeDifference(differenceMs: number, whose: string): LiveResult {
  if (differenceMs === 0) return ok(`agrees with ${whose}, to ${TOLERANCE_MS / 1000} s`)
  const text = `${durationText(Math.abs(differenceMs))} ${differenceMs > 0 ? 'behind' : 'ahead of'} ${whose}: run NTP`
  if (Math.abs(differenceMs) <= MAX_DIFFERENCE_MS) return warning(text)
  return failed(
    `${text}; AWS refuses requests that are signed more than 5 minutes off, and JWTs seem expired or not yet valid`,
  )
}

function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`
}
