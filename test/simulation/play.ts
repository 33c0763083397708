import { fleetClock } from './clock.ts'
import type { Contending } from './contender.ts'
import type { Load } from './loads.ts'
import { createNetwork } from './network.ts'
import { seeded } from './random.ts'
import { createRds, type Second } from './rds.ts'
import { createConnect } from './workloads.ts'

/** A spread of times, in milliseconds. */
export interface Spread {
  readonly p50: number
  readonly p99: number
  readonly longest: number
}

/** What came of one load with one contender. Plain data: it crosses processes. */
export interface Played {
  readonly logins: number
  readonly throttled: number
  /** Connections that were not open after 15 minutes. */
  readonly gaveUp: number
  /** From wanting a token to having it. */
  readonly tokenWait: Spread
  /** From wanting a connection to having it. */
  readonly loginWait: Spread
  /** The most logins with a token not used before in any sliding second. */
  readonly busiestSecond: number
  readonly seconds: readonly Second[]
  readonly vends: number
  readonly storeCalls: number
  readonly stsCalls: number
  /** Asks that jeton refused with 429. */
  readonly refused: number
}

export interface Play {
  load: Load
  contender: Contending
  /** The longest time between having a token and logging in with it. */
  delayMs: number
  seed: string
}

/** Plays one load with one contender, in a world of its own. The same seed gives the same figures on every machine. */
export async function play({ load, contender: contending, delayMs, seed }: Play): Promise<Played> {
  const clock = fleetClock()
  const network = createNetwork({ clock, random: seeded(`${seed}/network`) })
  const contender = contending({ clock, network, random: seeded(`${seed}/callers`) })
  const rds = createRds(clock)
  const random = seeded(`${seed}/workloads`)
  const { connect, waits } = createConnect({ clock, random, contender, rds, delayMs })
  await clock.run(() => load.play({ clock, seed, connect }))
  return {
    logins: rds.logins,
    throttled: rds.throttled,
    gaveUp: waits.gaveUp,
    tokenWait: spreadOf(waits.token),
    loginWait: spreadOf(waits.login),
    busiestSecond: rds.busiestSecond,
    seconds: rds.seconds,
    vends: contender.vends,
    storeCalls: network.calls.store,
    stsCalls: network.calls.sts,
    refused: contender.refusedAt.length,
  }
}

function spreadOf(times: readonly number[]): Spread {
  const sorted = Float64Array.from(times).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99), longest: at(1) }
}
