import type { Clock } from '../../src/lib/clock.ts'

/** Virtual time for a whole fleet: it holds millions of sleepers and jumps from one wake-up to the next without waiting. */
export interface SimulationClock extends Clock {
  /**
   * Starts `work` and lets time pass until it settles; returns its result. Rejects if `work` is unsettled and nobody sleeps.
   * `work` may wait for promises and for this clock only: timers, sockets and files never get a chance to run.
   */
  run<T>(work: () => Promise<T>): Promise<T>
}

interface Sleeper {
  readonly wakeAt: number
  /** Sleepers with the same `wakeAt` wake in this order. */
  readonly sequence: number
  wake: (() => void) | undefined
}

export function createSimulationClock(start = Date.parse('2026-11-23T10:00:00Z')): SimulationClock {
  const sleepers: Sleeper[] = []
  let now = start
  let nextSequence = 0

  /** Moves time to the next wake-up and wakes everyone due then; returns false if nobody sleeps. */
  function wakeNext(): boolean {
    const [first] = sleepers
    if (!first) return false
    now = first.wakeAt
    while (sleepers[0]?.wakeAt === now) pop(sleepers)?.wake?.()
    return true
  }

  function sleepUntil(at: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (at <= now) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const sleeper: Sleeper = { wakeAt: at, sequence: nextSequence++, wake: resolve }
      push(sleepers, sleeper)
      if (!signal) return
      const cancel = () => {
        sleeper.wake = undefined
        reject(signal.reason)
      }
      signal.addEventListener('abort', cancel, { once: true })
      sleeper.wake = () => {
        signal.removeEventListener('abort', cancel)
        resolve()
      }
    })
  }

  return {
    now: () => now,
    observe: () => () => {},
    sleepUntil,
    sleep: (ms, signal) => sleepUntil(now + ms, signal),
    run: work =>
      new Promise((resolve, reject) => {
        let isSettled = false
        work()
          .then(resolve, reject)
          .finally(() => {
            isSettled = true
          })
        // A tick that a microtask asks for runs when no microtask is left: everything due at this moment has run by then.
        const afterMicrotasks = (next: () => void) => queueMicrotask(() => process.nextTick(next))
        const step = () => {
          if (isSettled) return
          if (wakeNext()) afterMicrotasks(step)
          else reject(new Error('the simulation waits for something that never happens'))
        }
        afterMicrotasks(step)
      }),
  }
}

const isBefore = (a: Sleeper, b: Sleeper) =>
  a.wakeAt < b.wakeAt || (a.wakeAt === b.wakeAt && a.sequence < b.sequence)

/** A binary heap: the children of index `i` are at `2i + 1` and `2i + 2`, and wake later. */
function push(heap: Sleeper[], added: Sleeper): void {
  let index = heap.length
  heap.push(added)
  while (index > 0) {
    const parentIndex = (index - 1) >> 1
    const parent = heap[parentIndex] as Sleeper
    if (!isBefore(added, parent)) break
    heap[index] = parent
    index = parentIndex
  }
  heap[index] = added
}

function pop(heap: Sleeper[]): Sleeper | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (!last || heap.length === 0) return first
  let index = 0
  for (;;) {
    let childIndex = 2 * index + 1
    if (childIndex >= heap.length) break
    if (
      childIndex + 1 < heap.length &&
      isBefore(heap[childIndex + 1] as Sleeper, heap[childIndex] as Sleeper)
    )
      childIndex++
    const child = heap[childIndex] as Sleeper
    if (!isBefore(child, last)) break
    heap[index] = child
    index = childIndex
  }
  heap[index] = last
  return first
}
