import { setMaxListeners } from 'node:events'

/** Returns what `work` resolves with; rejects with the signal's reason if it aborts before that. The work itself goes on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  // many may wait with one signal, such as that of a program's end: each leaves when its work ends, so nothing leaks
  setMaxListeners(0, signal)
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
