import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../simulation/random.ts'
import { GRANTS, type SoakFleet } from './fleet.ts'
import type { Instance } from './instance.ts'

/** One thing that goes wrong, or that an operator does, for a while. */
interface Disturbance {
  readonly name: string
  /** Resolves when it is over. */
  run(): Promise<void>
}

const CLOCK = 'the clock'
const CLOCK_STEP_SECONDS = 90
const SLOW_STS_MS = 1500
const SLOW_STORE_MS = 700
const DROPPED_REPLIES = 3

/** Returns every disturbance of a fleet. Each lasts 1 to 4 seconds, or as long as a restart takes. */
function disturbancesOf(fleet: SoakFleet, random: Random): Disturbance[] {
  const { environment, dynamodb, instances } = fleet
  const sts = environment.sts.faults
  const store = dynamodb.faults
  const wait = () => pause(random.between(1000, 4000))

  const fault = <Faults extends object>(
    name: string,
    { of, is }: { of: Faults; is: Partial<Faults> },
  ): Disturbance => ({
    name,
    async run() {
      // not all of them: other faults may come and go meanwhile
      const before = Object.fromEntries(Object.keys(is).map(key => [key, of[key as keyof Faults]]))
      Object.assign(of, is)
      await wait()
      Object.assign(of, before)
    },
  })
  const ofEach = (name: string, run: (instance: Instance) => Promise<void>): Disturbance[] =>
    instances.map(instance => ({ name: `${instance.name}: ${name}`, run: () => run(instance) }))

  return [
    fault('STS fails', { of: sts, is: { failing: true } }),
    fault('STS throttles', { of: sts, is: { throttling: true } }),
    fault('STS hangs', { of: sts, is: { hanging: true } }),
    fault('STS is slow', { of: sts, is: { delayMs: SLOW_STS_MS } }),
    fault('the store is gone', { of: store, is: { gone: true } }),
    fault('the store fails', { of: store, is: { fail: true } }),
    fault('the store throttles', { of: store, is: { throttle: true } }),
    fault('the store is slow', { of: store, is: { delayMs: SLOW_STORE_MS } }),
    {
      name: 'replies of the store are lost',
      async run() {
        store.dropReply(DROPPED_REPLIES)
        await wait()
        store.dropReply(0)
      },
    },
    ...ofEach('kill -9', instance => instance.crash(random.between(0, 1500))),
    ...ofEach(`${CLOCK} is put forward and back`, async instance => {
      await instance.setClock(CLOCK_STEP_SECONDS)
      await wait()
      await instance.setClock(0)
    }),
    ...ofEach(`${CLOCK} is put back and forward`, async instance => {
      await instance.setClock(-CLOCK_STEP_SECONDS)
      await wait()
      await instance.setClock(0)
    }),
    ...ofEach('the audit file is rotated', instance => instance.rotate()),
    ...ofEach('a reload', async instance => {
      await instance.reload(fleet.config({ grants: [...GRANTS].reverse() }))
      await instance.reload(fleet.config())
    }),
    ...ofEach('a reload of a broken configuration', async instance => {
      await instance.reload(fleet.config({ grants: 'none' }))
      await instance.reload(fleet.config())
    }),
  ]
}

/** A crash of the instance whose memory is measured would start the measurement again. */
const SPARED = 'a: kill -9'

export interface DisturbOptions {
  random: Random
  signal: AbortSignal
  spareFrom: number
  /** Whether clocks are set too. */
  setsClocks: boolean
}

/**
 * Runs disturbances one after the other in random order, each once before any comes again, with a calm of 1 to 3 s after
 * each, until `signal` aborts. After `spareFrom` (ms) the first instance is not killed any more. Returns how often each ran.
 */
export async function disturb(
  fleet: SoakFleet,
  { random, signal, spareFrom, setsClocks }: DisturbOptions,
): Promise<Map<string, number>> {
  const all = disturbancesOf(fleet, random)
  const disturbances = setsClocks ? all : all.filter(({ name }) => !name.includes(CLOCK))
  const counts = new Map<string, number>()
  while (!signal.aborted) {
    for (const { name, run } of shuffled(disturbances, random)) {
      if (signal.aborted) break
      if (name === SPARED && Date.now() > spareFrom) continue
      fleet.lastDisturbance = name
      await run()
      counts.set(name, (counts.get(name) ?? 0) + 1)
      await pause(random.between(1000, 3000), undefined, { signal }).catch(() => {})
    }
  }
  return counts
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map(item => ({ item, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}
