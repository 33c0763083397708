import { constants } from 'node:os'
import { isAllWritten } from './process-output.ts'

/** How often it is looked whether all is written. */
const CHECK_MS = 50

/**
 * Ends this process with an exit code once all that it printed is written, whatever else still goes on in it: nothing stops the
 * system's search for a host that DNS does not answer for, which takes half a minute and longer.
 */
export function endProcess(exitCode: number): void {
  process.exitCode = exitCode
  const timer = setInterval(() => {
    if (isAllWritten()) process.exit()
  }, CHECK_MS)
  timer.unref()
}

/**
 * Lets ctrl-C and SIGTERM end this process if it is the first of a container, too, which signals that it does not handle do not
 * reach. Whoever handles them otherwise, as `jeton exec` does for its command, goes first.
 */
export function endOnSignals(): void {
  if (process.pid !== 1) return
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal])
    })
}
