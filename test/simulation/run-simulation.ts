import { createSimulationClock } from './clock.ts'
import { createConnect } from './connections.ts'
import type { LoadProfile } from './load-profiles.ts'
import { createNetwork } from './network.ts'
import { seededRandom } from './random.ts'
import { createRds, type Second } from './rds.ts'
import type { CreateStrategy } from './strategy.ts'

/** Percentiles of waiting times, in milliseconds. */
export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** The figures of one run. Plain data: workers send it between processes. */
export interface RunResult {
  readonly logins: number
  readonly throttled: number
  /** Connections that were not open after 15 minutes. */
  readonly gaveUp: number
  /** From wanting a token to having it. */
  readonly tokenWait: Percentiles
  /** From wanting a connection to having it. */
  readonly loginWait: Percentiles
  /** How many tokens were let in for the first time. */
  readonly newTokens: number
  /** The most logins in any sliding second with a token not used before. */
  readonly busiestSecond: number
  readonly seconds: readonly Second[]
  readonly vends: number
  readonly storeCalls: number
  readonly stsCalls: number
  /** Requests that jeton refused with 429. */
  readonly refused: number
}

export interface SimulationOptions {
  profile: LoadProfile
  createStrategy: CreateStrategy
  /** The longest time between having a token and logging in with it. */
  maxDelayMs: number
  seed: string
}

/** Runs one load profile with one strategy, on a clock, network and RDS of its own. One seed gives the same figures anywhere. */
export async function runSimulation(options: SimulationOptions): Promise<RunResult> {
  const { profile, createStrategy, maxDelayMs, seed } = options
  const clock = createSimulationClock()
  const network = createNetwork({ clock, random: seededRandom(`${seed}/network`) })
  const strategy = createStrategy({ clock, network, random: seededRandom(`${seed}/callers`) })
  const rds = createRds(clock)
  const random = seededRandom(`${seed}/workloads`)
  const { connect, waits } = createConnect({ clock, random, strategy, rds, maxDelayMs })
  await clock.run(() => profile.run({ clock, seed, connect }))
  return {
    logins: rds.logins,
    throttled: rds.throttled,
    gaveUp: waits.gaveUp,
    tokenWait: percentilesOf(waits.token),
    loginWait: percentilesOf(waits.login),
    newTokens: rds.newTokens,
    busiestSecond: rds.busiestSecond,
    seconds: rds.seconds,
    vends: strategy.vends,
    storeCalls: network.calls.store,
    stsCalls: network.calls.sts,
    refused: strategy.throttledAt.length,
  }
}

function percentilesOf(times: readonly number[]): Percentiles {
  const sorted = Float64Array.from(times).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}
