import { askingJeton } from './callers.ts'
import { fleetClock } from './clock.ts'
import { createNetwork } from './network.ts'
import type { Session } from './principals.ts'
import { seeded } from './random.ts'
import { createRds } from './rds.ts'
import { createConnect } from './workloads.ts'

const MINUTE = 60_000

export interface Hoarded {
  readonly principals: number
  readonly throttled: number
  /** From the failover to the last login, in milliseconds. */
  readonly allInAfterMs: number
}

/**
 * What no pace can help: each principal is handed a token in good time, keeps it unused, and all log in for the first time
 * within the 2 s after a failover. RDS counts first logins, and jeton does not see them.
 */
export async function hoard(
  principals: number,
  { session, seed }: { session: Session; seed: string },
): Promise<Hoarded> {
  const clock = fleetClock()
  const network = createNetwork({ clock, random: seeded(`${seed}/network`) })
  const random = seeded(`${seed}/hoarded`)
  const jeton = askingJeton({ session })({ clock, network, random })
  const rds = createRds(clock)
  const failsAt = clock.now() + 8 * MINUTE
  let lastAt = failsAt

  async function live(workload: number): Promise<void> {
    await clock.sleepUntil(clock.now() + random.between(0, 3 * MINUTE))
    const kept = await jeton.passwordFor(workload, failsAt)
    await clock.sleepUntil(failsAt + random.between(0, 2000))
    const contender = { ...jeton, passwordFor: async () => kept }
    await createConnect({ clock, random, contender, rds, delayMs: 0 }).connect(workload)
    lastAt = clock.now()
  }

  await clock.run(() => Promise.all(Array.from({ length: principals }, (_, i) => live(i))))
  return { principals, throttled: rds.throttled, allInAfterMs: lastAt - failsAt }
}
