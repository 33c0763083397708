import type { SimulationClock } from './clock.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import type { Password } from './rds.ts'

/** A way for workloads to get the password of a new connection. */
export interface Strategy {
  /** Returns a password for one connection of a workload, or undefined if there is none before `deadline` (ms). */
  getPassword(workload: number, deadline: number): Promise<Password | undefined>
  /** Called when a login failed: this is how a driver learns that its token may be bad. */
  onLoginFailed(workload: number): void
  /** The times (ms) of jeton's 429 replies. */
  readonly throttledAt: readonly number[]
  /** How many passwords were returned, new or cached. */
  readonly vends: number
}

/** What a strategy runs on. */
export interface StrategyParts {
  readonly clock: SimulationClock
  readonly network: Network
  readonly random: Random
}

export type CreateStrategy = (parts: StrategyParts) => Strategy
