import type { Wait } from '../client/retry.ts'
import { isoSeconds } from '../lib/iso-time.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import type { TextOutput } from './streams.ts'

/**
 * Returns what says why a command waits, for how long, and until when it tries: each time on a terminal; elsewhere, as in the
 * log of a job, the first time alone.
 */
export function createWaitNotice(stderr: TextOutput): (wait: Wait) => void {
  let isSaid = false
  return wait => {
    if (isSaid && !stderr.isTTY) return
    isSaid = true
    stderr.write(`jeton: ${escapeUnprintable(waitText(wait))}\n`)
  }
}

/** Returns why a command waits, for how long, and until when it tries, in characters that are not checked. */
export function waitText({ error, delayMs, giveUpAt }: Wait): string {
  const { message, code, retryAfterMs } = error
  const seconds = Math.max(1, Math.round(delayMs / 1000))
  const next = retryAfterMs === delayMs ? `the server asks to wait ${seconds} s` : `next try in ${seconds} s`
  const why = code === undefined ? message : `${message} (${code})`
  return `${next}, trying until ${isoSeconds(giveUpAt)}: ${why}`
}
