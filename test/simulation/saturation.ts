import { asJetonError } from '../../src/errors.ts'
import { fleetClock } from './clock.ts'
import { startInstance } from './jeton.ts'
import { createNetwork } from './network.ts'
import { principals } from './principals.ts'
import { seeded } from './random.ts'
import { busiestSecond } from './sliding-second.ts'

export interface Saturated {
  /** Of the configured pace, from the first hand-out on: 1 is all of it. */
  readonly used: number
  /** The most first hand-outs in any sliding second. */
  readonly busiestSecond: number
  readonly handedOut: number
}

export interface Saturation {
  instances: number
  perSecond: number
  durationMs: number
  seed: string
}

/**
 * More new principals than the pace allows ask all the time, each at every instance at once, and do not come back when
 * refused.
 */
export async function saturate({ instances, perSecond, durationMs, seed }: Saturation): Promise<Saturated> {
  const clock = fleetClock()
  const random = seeded(`${seed}/saturation`)
  const network = createNetwork({ clock, random: seeded(`${seed}/network`) })
  const standingOf = principals('per-principal')
  const fleet = Array.from({ length: instances }, (_, i) =>
    startInstance({ clock, network, random, name: `jeton-${i}` }),
  )
  const end = clock.now() + durationMs
  const handedOut: number[] = []

  async function ask(principal: number, instance: (typeof fleet)[number]): Promise<void> {
    try {
      const { cached } = await instance(standingOf(principal))
      if (!cached && clock.now() <= end) handedOut.push(clock.now())
    } catch (cause) {
      if (asJetonError(cause).code !== 'throttled') throw cause
    }
  }

  await clock.run(async () => {
    const asked: Promise<void>[] = []
    for (let principal = 0; clock.now() < end; principal++) {
      for (const instance of fleet) asked.push(ask(principal, instance))
      await clock.sleepUntil(clock.now() + random.exponential(1000 / (2 * perSecond)))
    }
    await Promise.all(asked)
  })
  const [first = end] = handedOut
  return {
    used: handedOut.length / (((end - first) / 1000) * perSecond),
    busiestSecond: busiestSecond(handedOut),
    handedOut: handedOut.length,
  }
}

/** How often the store is called while a token at hand is vended again and again, `vends` times by each instance. */
export async function storeCallsOfCachedVends(vends: number, seed: string): Promise<number> {
  const clock = fleetClock()
  const network = createNetwork({ clock, random: seeded(`${seed}/network`) })
  const random = seeded(`${seed}/cached`)
  const standing = principals('per-principal')(0)
  const fleet = ['a', 'b', 'c'].map(name => startInstance({ clock, network, random, name }))
  return clock.run(async () => {
    for (const instance of fleet) await instance(standing)
    await clock.sleepUntil(clock.now() + 1000)
    const before = network.calls.store
    for (let i = 0; i < vends; i++) await Promise.all(fleet.map(instance => instance(standing)))
    return network.calls.store - before
  })
}
