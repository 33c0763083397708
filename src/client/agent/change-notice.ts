import type { Clock } from '../../lib/clock.ts'
import { systemCodeNote } from '../../lib/system-error.ts'
import type { Log } from '../../telemetry/log.ts'
import { CallerError } from '../errors.ts'

export interface ChangeNoticeParts {
  /** Tells whoever reads the files. Rejects with CallerError. */
  tell(): Promise<void>
  /** How often it is tried again after a failure. */
  retries: number
  clock: Pick<Clock, 'sleep'>
  signal: AbortSignal
  log: Log
}

/** Tells others that files have changed. */
export interface ChangeNotice {
  /** Has them told, once for all changes until then. */
  announce(): void
  /** Resolves when nobody is left to be told; with false if the last attempt failed. */
  settled(): Promise<boolean>
  failures(): number
}

const FIRST_RETRY_MS = 5000

/** Returns a notice that tells about one batch of changes at a time. */
export function createChangeNotice({ tell, retries, clock, signal, log }: ChangeNoticeParts): ChangeNotice {
  let isDue = false
  let isWell = true
  let failures = 0
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    try {
      while (isDue && !signal.aborted) await tellBatch()
    } finally {
      running = undefined
    }
  }

  /** What changes before an attempt is a part of it. */
  async function tellBatch(): Promise<void> {
    for (let left = retries; left >= 0; left--) {
      isDue = false
      try {
        await tell()
        isWell = true
        return
      } catch (cause) {
        if (signal.aborted) return
        noteFailure(cause, left)
        if (left > 0) await clock.sleep(FIRST_RETRY_MS * 2 ** (retries - left), signal)
      }
    }
  }

  function noteFailure(cause: unknown, left: number): void {
    isWell = false
    failures++
    const why = cause instanceof CallerError ? cause.message : `it failed${systemCodeNote(cause)}`
    const next = left > 0 ? 'it is tried again' : 'it is not tried again before the next change'
    log.error({ event: 'agent_notice_failed' }, `nobody was told that files have changed: ${why}; ${next}`)
  }

  return {
    announce() {
      isDue = true
      running ??= run().catch(() => {})
    },
    async settled() {
      await running
      return isWell
    },
    failures: () => failures,
  }
}
