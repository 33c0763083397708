import type { Clock } from '../../src/lib/clock.ts'

/** A clock for a whole fleet: millions sleep on it, and it goes from one moment to the next as fast as the machine can. */
export interface FleetClock extends Clock {
  /**
   * Starts `work` and lets time pass until it is done; gives what it gives. Rejects where it waits and nobody sleeps any
   * more. Everything that `work` waits for must be a promise or this clock: no timer, socket or file comes to its turn.
   */
  run<T>(work: () => Promise<T>): Promise<T>
}

interface Sleeper {
  readonly at: number
  /** Tells apart who sleeps until the same moment: first come, first woken. */
  readonly order: number
  wake: (() => void) | undefined
}

export function fleetClock(start = Date.parse('2026-11-23T10:00:00Z')): FleetClock {
  const sleepers: Sleeper[] = []
  let now = start
  let orders = 0

  /** Wakes all who sleep until the next moment; false where nobody sleeps. */
  function wakeNext(): boolean {
    const [first] = sleepers
    if (!first) return false
    now = first.at
    while (sleepers[0]?.at === now) pop(sleepers)?.wake?.()
    return true
  }

  return {
    now: () => now,
    observe: () => () => {},
    sleepUntil(at, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason)
      if (at <= now) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const sleeper: Sleeper = { at, order: orders++, wake: resolve }
        push(sleepers, sleeper)
        if (!signal) return
        const stop = () => {
          sleeper.wake = undefined
          reject(signal.reason)
        }
        signal.addEventListener('abort', stop, { once: true })
        sleeper.wake = () => {
          signal.removeEventListener('abort', stop)
          resolve()
        }
      })
    },
    run: work =>
      new Promise((resolve, reject) => {
        let isOver = false
        work()
          .then(resolve, reject)
          .finally(() => {
            isOver = true
          })
        // A tick that a microtask asks for comes when no microtask is left: all that could run at this moment has run.
        const whenSettled = (next: () => void) => queueMicrotask(() => process.nextTick(next))
        const step = () => {
          if (isOver) return
          if (wakeNext()) whenSettled(step)
          else reject(new Error('the simulated world waits for what never comes'))
        }
        whenSettled(step)
      }),
  }
}

const isBefore = (a: Sleeper, b: Sleeper) => a.at < b.at || (a.at === b.at && a.order < b.order)

/** A binary heap: each is before the two at twice its place. */
function push(heap: Sleeper[], added: Sleeper): void {
  let place = heap.length
  heap.push(added)
  while (place > 0) {
    const above = (place - 1) >> 1
    const parent = heap[above] as Sleeper
    if (!isBefore(added, parent)) break
    heap[place] = parent
    place = above
  }
  heap[place] = added
}

function pop(heap: Sleeper[]): Sleeper | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (!last || heap.length === 0) return first
  let place = 0
  for (;;) {
    let below = 2 * place + 1
    if (below >= heap.length) break
    if (below + 1 < heap.length && isBefore(heap[below + 1] as Sleeper, heap[below] as Sleeper)) below++
    const child = heap[below] as Sleeper
    if (!isBefore(child, last)) break
    heap[place] = child
    place = below
  }
  heap[place] = last
  return first
}
