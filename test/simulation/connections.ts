import type { SimulationClock } from './clock.ts'
import type { Random } from './random.ts'
import type { Rds } from './rds.ts'
import type { Strategy } from './strategy.ts'

/** A connection that is not open after this long is given up. */
const GIVE_UP_AFTER_MS = 900_000
const MIN_BACKOFF_MS = 1000
const FIRST_MAX_BACKOFF_MS = 2000
const MAX_BACKOFF_MS = 30_000

/** How long connections took, in milliseconds. */
export interface Waits {
  /** From wanting a token to having it. */
  readonly token: number[]
  /** From wanting a connection to being logged in. */
  readonly login: number[]
  /** Connections that were given up. */
  gaveUp: number
}

export interface ConnectParts {
  clock: SimulationClock
  random: Random
  strategy: Strategy
  rds: Rds
  /** The longest time between having a token and logging in with it. */
  maxDelayMs: number
}

/** Returns `connect`, which opens connections as a driver does: get a password, log in, and back off if throttled. */
export function createConnect({ clock, random, strategy, rds, maxDelayMs }: ConnectParts) {
  const waits: Waits = { token: [], login: [], gaveUp: 0 }

  async function connect(workload: number): Promise<void> {
    const startedAt = clock.now()
    const deadline = startedAt + GIVE_UP_AFTER_MS
    for (
      let maxBackoffMs = FIRST_MAX_BACKOFF_MS;
      ;
      maxBackoffMs = Math.min(MAX_BACKOFF_MS, maxBackoffMs * 2)
    ) {
      const requestedAt = clock.now()
      const password = await strategy.getPassword(workload, deadline)
      if (!password) break
      waits.token.push(clock.now() - requestedAt)
      if (maxDelayMs > 0) await clock.sleepUntil(clock.now() + random.between(0, maxDelayMs))
      if (rds.login(password)) {
        waits.login.push(clock.now() - startedAt)
        return
      }
      strategy.onLoginFailed(workload)
      const retryAt = clock.now() + random.between(MIN_BACKOFF_MS, maxBackoffMs)
      if (retryAt > deadline) break
      await clock.sleepUntil(retryAt)
    }
    waits.gaveUp++
  }

  return { connect, waits }
}
