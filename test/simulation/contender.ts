import type { FleetClock } from './clock.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import type { Login } from './rds.ts'

/** A way for workloads to come by the password of a new connection. */
export interface Contender {
  /** For one connection of a workload; undefined where there is none by `until` (ms). */
  passwordFor(workload: number, until: number): Promise<Login | undefined>
  /** Told of a login that failed: how a driver learns that its token may be bad. */
  failed(workload: number): void
  /** How often jeton refused, and when (ms). */
  readonly refusedAt: readonly number[]
  /** How often a token was handed out, new or not. */
  readonly vends: number
}

/** What a contender plays in. */
export interface Stage {
  readonly clock: FleetClock
  readonly network: Network
  readonly random: Random
}

export type Contending = (stage: Stage) => Contender
