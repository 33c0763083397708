import { beforeEach, expect, test } from 'vitest'
import { withSecondCall } from '../../src/lib/second-call.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'

const REFUSED = new Error('refused')
const LOST = new Error('lost')

let clock: VirtualClock
/** When each call began (ms), and its signal. */
let calls: { at: number; signal: AbortSignal }[]
const start = virtualClock().now()

beforeEach(() => {
  clock = virtualClock()
  calls = []
})

/** What becomes of each call: after how long (ms) it resolves, or what it rejects with. */
type Fate = readonly [afterMs: number, rejection?: Error]

function run(...fates: Fate[]): Promise<unknown> {
  return withSecondCall(
    async signal => {
      const number = calls.push({ at: clock.now() - start, signal })
      const [afterMs, rejection] = fates[number - 1] ?? [0]
      await clock.sleep(afterMs)
      if (rejection) throw rejection
      return `reply ${number}`
    },
    { clock, afterMs: 2500, isAnswer: cause => cause === REFUSED },
  ).catch(cause => cause)
}

test.each<[string, Fate[], unknown, number, number]>([
  ['a quick reply needs no second call', [[2400]], 'reply 1', 2400, 1],
  ['a quick failure needs none either', [[100, LOST]], LOST, 100, 1],
  ['a lost first call is made up for by the second', [[Number.MAX_SAFE_INTEGER], [50]], 'reply 2', 2550, 2],
  ['a slow reply to the first call still counts', [[4500], [4500]], 'reply 1', 4500, 2],
  ['an answer ends both, though it is a refusal', [[4500, REFUSED], [9000]], REFUSED, 4500, 2],
  [
    'the second may be the one that is answered',
    [
      [9000, LOST],
      [100, REFUSED],
    ],
    REFUSED,
    2600,
    2,
  ],
  ['a first call that fails leaves it to the second', [[3000, LOST], [4000]], 'reply 2', 6500, 2],
  ['a second call that fails leaves it to the first', [[8000], [100, LOST]], 'reply 1', 8000, 2],
  [
    'both may fail',
    [
      [3000, LOST],
      [4000, LOST],
    ],
    LOST,
    6500,
    2,
  ],
])('%s', async (_title, fates, result, afterMs, count) => {
  const outcome = run(...fates)
  let settledAt: number | undefined
  void outcome.then(() => {
    settledAt = clock.now() - start
  })
  await clock.advance(afterMs - 1)
  expect(settledAt).toBeUndefined()
  await clock.advance(1)
  expect(settledAt).toBe(afterMs)
  expect(await outcome).toBe(result)
  expect(calls.map(({ at }) => at)).toEqual([0, 2500].slice(0, count))
  for (const { signal } of calls) expect(signal.aborted).toBe(true)
})
