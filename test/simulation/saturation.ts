import { asJetonError } from '../../src/errors.ts'
import { createSimulationClock } from './clock.ts'
import { startInstance } from './jeton.ts'
import { createNetwork } from './network.ts'
import { createPrincipals } from './principals.ts'
import { seededRandom } from './random.ts'
import { busiestSecond } from './sliding-second.ts'

export interface SaturationResult {
  /** How much of the limit was used, from the first new token on: 1 is all of it. */
  readonly usedShare: number
  /** The most new tokens delivered in any sliding second. */
  readonly busiestSecond: number
  /** New tokens delivered. */
  readonly delivered: number
}

export interface SaturationOptions {
  instances: number
  /** The database's limit. */
  newTokensPerSecond: number
  durationMs: number
  seed: string
}

/**
 * Simulates twice as many new principals as the limit allows. Each asks every instance at once and does not retry if
 * refused.
 */
export async function simulateSaturation(options: SaturationOptions): Promise<SaturationResult> {
  const { instances: count, newTokensPerSecond, durationMs, seed } = options
  const clock = createSimulationClock()
  const random = seededRandom(`${seed}/saturation`)
  const network = createNetwork({ clock, random: seededRandom(`${seed}/network`) })
  const accessOf = createPrincipals('per-principal')
  const instances = Array.from({ length: count }, (_, i) =>
    startInstance({ clock, network, random, name: `jeton-${i}` }),
  )
  const end = clock.now() + durationMs
  const deliveredAt: number[] = []

  async function requestToken(principal: number, vend: (typeof instances)[number]): Promise<void> {
    try {
      const { cached } = await vend(accessOf(principal))
      if (!cached && clock.now() <= end) deliveredAt.push(clock.now())
    } catch (cause) {
      if (asJetonError(cause).code !== 'throttled') throw cause
    }
  }

  await clock.run(async () => {
    const requests: Promise<void>[] = []
    for (let principal = 0; clock.now() < end; principal++) {
      for (const vend of instances) requests.push(requestToken(principal, vend))
      await clock.sleepUntil(clock.now() + random.exponential(1000 / (2 * newTokensPerSecond)))
    }
    await Promise.all(requests)
  })
  const [first = end] = deliveredAt
  return {
    usedShare: deliveredAt.length / (((end - first) / 1000) * newTokensPerSecond),
    busiestSecond: busiestSecond(deliveredAt),
    delivered: deliveredAt.length,
  }
}

/** Returns how many store calls are made while each of three instances vends a cached token `vends` times. */
export async function countStoreCallsOfCachedVends(vends: number, seed: string): Promise<number> {
  const clock = createSimulationClock()
  const network = createNetwork({ clock, random: seededRandom(`${seed}/network`) })
  const random = seededRandom(`${seed}/cached`)
  const access = createPrincipals('per-principal')(0)
  const instances = ['a', 'b', 'c'].map(name => startInstance({ clock, network, random, name }))
  return clock.run(async () => {
    for (const vend of instances) await vend(access)
    await clock.sleepUntil(clock.now() + 1000)
    const before = network.calls.store
    for (let i = 0; i < vends; i++) await Promise.all(instances.map(vend => vend(access)))
    return network.calls.store - before
  })
}
