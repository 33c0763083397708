import { constants } from 'node:os'
import { systemCode } from '../lib/system-error.ts'

/** The part of Node's `process` by which a program learns that nobody waits for it any more. */
export interface InterruptionHost {
  once(signal: NodeJS.Signals, listener: () => void): unknown
  readonly stdout: { on(event: 'error', listener: (cause: unknown) => void): unknown }
  readonly stderr: { on(event: 'error', listener: (cause: unknown) => void): unknown }
}

export interface Interruption {
  /** Aborted when a signal came, or stdout takes no more. */
  readonly signal: AbortSignal
  /**
   * Resolves then, with the exit code that shells know: 128 and the number of the signal; 0 if the reader has read enough; 1 if
   * stdout cannot be written to.
   */
  readonly exitCode: Promise<number>
}

/** SIGHUP comes when a terminal closes. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Catches what would end this process at once, so that it can clean up first. A second signal of the same kind ends it at once. */
export function catchInterruption(host: InterruptionHost): Interruption {
  const interrupted = new AbortController()
  const exitCode = new Promise<number>(resolve => {
    const interrupt = (code: number) => {
      resolve(code)
      interrupted.abort()
    }
    for (const signal of SIGNALS) host.once(signal, () => interrupt(128 + constants.signals[signal]))
    host.stdout.on('error', cause => interrupt(systemCode(cause) === 'EPIPE' ? 0 : 1))
    host.stderr.on('error', () => {})
  })
  return { signal: interrupted.signal, exitCode }
}
