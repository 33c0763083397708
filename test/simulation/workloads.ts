import type { FleetClock } from './clock.ts'
import type { Contender } from './contender.ts'
import type { Random } from './random.ts'
import type { Rds } from './rds.ts'

/** After this long without a login a workload gives up. */
const PATIENCE_MS = 900_000
const FIRST_BACKOFF_MS = 2000
const LEAST_BACKOFF_MS = 1000
const LONGEST_BACKOFF_MS = 30_000

/** How long connections took, in milliseconds. */
export interface Waits {
  /** From wanting a token to having it. */
  readonly token: number[]
  /** From wanting a connection to being let in. */
  readonly login: number[]
  /** Connections that were never let in. */
  gaveUp: number
}

export interface WorkloadParts {
  clock: FleetClock
  random: Random
  contender: Contender
  rds: Rds
  /** The longest time between having a token and logging in with it. */
  delayMs: number
}

/** Opens a connection as a driver does: a password, a login, and where it is throttled all over again after a while. */
export function createConnect({ clock, random, contender, rds, delayMs }: WorkloadParts) {
  const waits: Waits = { token: [], login: [], gaveUp: 0 }

  async function connect(workload: number): Promise<void> {
    const wantedAt = clock.now()
    const until = wantedAt + PATIENCE_MS
    for (let ceilingMs = FIRST_BACKOFF_MS; ; ceilingMs = Math.min(LONGEST_BACKOFF_MS, ceilingMs * 2)) {
      const askedAt = clock.now()
      const login = await contender.passwordFor(workload, until)
      if (!login) break
      waits.token.push(clock.now() - askedAt)
      if (delayMs > 0) await clock.sleepUntil(clock.now() + random.between(0, delayMs))
      if (rds.login(login)) {
        waits.login.push(clock.now() - wantedAt)
        return
      }
      contender.failed(workload)
      const againAt = clock.now() + random.between(LEAST_BACKOFF_MS, ceilingMs)
      if (againAt > until) break
      await clock.sleepUntil(againAt)
    }
    waits.gaveUp++
  }

  return { connect, waits }
}
