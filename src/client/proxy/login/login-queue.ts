import { untilAborted } from '../../../lib/until-aborted.ts'

/**
 * Returns a function that does work, of which no more than `max` goes on at one time; the rest waits, in the order in which it came.
 * It rejects with the signal's reason if that aborts before the work's turn.
 */
export function createLoginQueue(max: number) {
  let running = 0
  const waiting = new Set<() => void>()

  function pass(): void {
    const [next] = waiting
    if (!next) return void running--
    waiting.delete(next)
    next()
  }

  async function untilFree(signal: AbortSignal): Promise<void> {
    if (running < max) return void running++
    let begin = () => {}
    const free = new Promise<void>(resolve => {
      begin = resolve
      waiting.add(begin)
    })
    await untilAborted(free, signal).catch(cause => {
      // its turn may have come at the same moment
      if (!waiting.delete(begin)) pass()
      throw cause
    })
  }

  return async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    await untilFree(signal)
    return work().finally(pass)
  }
}
