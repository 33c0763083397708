import { asJetonError } from '../../src/errors.ts'
import { createSimulationClock } from './clock.ts'
import { type Instance, startInstance } from './jeton.ts'
import { createNetwork } from './network.ts'
import { createPrincipals } from './principals.ts'
import { seededRandom } from './random.ts'
import { busiestSecond } from './sliding-second.ts'

const INSTANCES = 3
const NEWCOMERS = 12
const BETWEEN_NEWCOMERS_MS = 1500
/** The first newcomer comes when the aggressor has had its way for this long. */
const HEAD_START_MS = 25_000
/** How long it goes on, unless given. */
const DURATION_MS = 60_000
/** The longest pause of an aggressor after any reply, unless given: it does not honour `Retry-After`. */
const MAX_PAUSE_MS = 150
/** Newcomers add up to this much to `Retry-After`. */
const MAX_JITTER_MS = 1000
const NEW_TOKENS_PER_SECOND = 16

/** How an aggressor tries to have all slots, with as many callers at once. */
export const AGGRESSIONS = {
  rotating: { callers: 250, description: '250 requests at once, each of a new subject' },
  reporting: { callers: 300, description: '300 subjects that report each of their tokens as refused' },
} as const

export type Aggression = keyof typeof AGGRESSIONS

export interface AggressorResult {
  /** How long each newcomer waited for its token, all refusals included (ms); undefined if it got none. */
  readonly waits: readonly (number | undefined)[]
  /** How much of the limit was used from the first newcomer on: 1 is all of it. */
  readonly usedShare: number
  readonly assumeRoleCalls: number
  /** How many slots came from beginning to end. */
  readonly slots: number
  /** The most calls to STS in any sliding second. */
  readonly busiestStsSecond: number
  /** 429s that the aggressor got. */
  readonly refused: number
}

export interface AggressorOptions {
  aggression: Aggression
  /** How many of the three instances the aggressor calls. */
  instances: number
  /** How many callers it has; by default as many as `AGGRESSIONS` says. */
  callers?: number
  maxPauseMs?: number
  /** At least 45 s, in which the last newcomer has its token. */
  durationMs?: number
  seed: string
}

/**
 * Simulates callers of one grant that want every slot for themselves, beside newcomers of another grant for the same
 * database, who ask the three instances by turns and come back when they are told to.
 */
export async function simulateAggressor(options: AggressorOptions): Promise<AggressorResult> {
  const { aggression, callers = AGGRESSIONS[aggression].callers, seed } = options
  const { maxPauseMs = MAX_PAUSE_MS, durationMs = DURATION_MS } = options
  const clock = createSimulationClock()
  const network = createNetwork({ clock, random: seededRandom(`${seed}/network`) })
  const random = seededRandom(`${seed}/aggressor`)
  const instances = Array.from({ length: INSTANCES }, (_, i) =>
    startInstance({ clock, network, random, name: `jeton-${i}` }),
  )
  const attackersAccess = createPrincipals('per-principal', { grant: 'aggressor' })
  const newcomersAccess = createPrincipals('per-principal', { grant: 'newcomers' })
  const firstNewcomerAt = clock.now() + HEAD_START_MS
  const end = clock.now() + durationMs
  const newTokensAt: number[] = []
  let requests = 0
  let subjects = 0
  let refused = 0

  /** One request over the network, to the instances in turn. */
  async function request(count: number, send: (vend: Instance) => ReturnType<Instance>) {
    await network.http()
    const vended = await send(instances[requests++ % count] as Instance)
    if (!vended.cached) newTokensAt.push(clock.now())
    await network.http()
    return vended
  }

  async function attack(): Promise<void> {
    const own = subjects++
    let fingerprint: string | undefined
    while (clock.now() < end) {
      const subject = aggression === 'rotating' ? subjects++ : own
      try {
        const { token } = await request(options.instances, vend =>
          vend(attackersAccess(subject), fingerprint),
        )
        if (aggression === 'reporting') fingerprint = token.fingerprint
      } catch (cause) {
        if (asJetonError(cause).code !== 'throttled') throw cause
        refused++
      }
      await clock.sleepUntil(clock.now() + random.between(0, maxPauseMs))
    }
  }

  async function waitForToken(newcomer: number): Promise<number | undefined> {
    const startedAt = firstNewcomerAt + newcomer * BETWEEN_NEWCOMERS_MS
    await clock.sleepUntil(startedAt)
    while (clock.now() < end) {
      try {
        await request(INSTANCES, vend => vend(newcomersAccess(newcomer)))
        return clock.now() - startedAt
      } catch (cause) {
        const { retryAfterMs = 0 } = asJetonError(cause)
        const retryAfter = Math.max(1, Math.ceil(retryAfterMs / 1000))
        await clock.sleepUntil(clock.now() + retryAfter * 1000 + random.between(0, MAX_JITTER_MS))
      }
    }
    return undefined
  }

  const waits = await clock.run(async () => {
    const attacks = Array.from({ length: callers }, attack)
    const newcomers = Array.from({ length: NEWCOMERS }, (_, i) => waitForToken(i))
    await Promise.all(attacks)
    return Promise.all(newcomers)
  })
  const used = newTokensAt.filter(at => at >= firstNewcomerAt && at < end).length
  return {
    waits,
    usedShare: used / (((end - firstNewcomerAt) / 1000) * NEW_TOKENS_PER_SECOND),
    assumeRoleCalls: network.calls.sts,
    slots: (durationMs / 1000) * NEW_TOKENS_PER_SECOND,
    busiestStsSecond: busiestSecond(network.assumedAt),
    refused,
  }
}
