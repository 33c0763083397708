import { asJetonError, JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { withTimeout } from '../../lib/deadline.ts'
import { messageOf } from '../../lib/system-error.ts'
import { failed, type LiveCheck, type LiveResult } from './live-check.ts'

/** Longer than any call has within a check, whose own words say more than that it took too long. */
const MAX_CHECK_MS = 15_000
/** A configuration may have hundreds of roles, and STS throttles. */
const MAX_CONCURRENT = 16

/** A check with how it ended. */
export interface LiveRow extends LiveResult {
  readonly what: string
}

/**
 * Runs checks, 16 at once and for 15 s each at most. Returns a row for each, in their order; a check that rejects has failed.
 * `onRow` gets them in the same order, each as soon as those before it are done.
 */
export async function runLiveChecks(
  checks: readonly LiveCheck[],
  { clock, onRow = () => {} }: { clock: Pick<Clock, 'sleep'>; onRow?: (row: LiveRow) => void },
): Promise<LiveRow[]> {
  const rows: LiveRow[] = []
  let passed = 0
  const waiting = [...checks.entries()]
  async function runNext(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [position, check] = next
      rows[position] = { what: check.what, ...(await runBounded(check, clock)) }
      for (let row = rows[passed]; row !== undefined; row = rows[++passed]) onRow(row)
    }
  }
  await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENT, checks.length) }, runNext))
  return rows
}

async function runBounded(check: LiveCheck, clock: Pick<Clock, 'sleep'>): Promise<LiveResult> {
  const timedOut = () => new Error(`it took longer than ${MAX_CHECK_MS / 1000} s`)
  try {
    return await withTimeout(() => check.run(), { clock, timeoutMs: MAX_CHECK_MS, timedOut })
  } catch (cause) {
    return failed(reasonOf(cause))
  }
}

/** What operators may read of a failure: the reason, if it has one. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof JetonError)) return messageOf(cause)
  const { reason, publicMessage } = asJetonError(cause)
  return reason ?? publicMessage
}
