import { createSimulationClock } from './clock.ts'
import { createConnect } from './connections.ts'
import { createJetonStrategy } from './jeton-strategy.ts'
import { createNetwork } from './network.ts'
import type { SessionMode } from './principals.ts'
import { seededRandom } from './random.ts'
import { createRds } from './rds.ts'

const MINUTE_MS = 60_000

export interface HoardingResult {
  readonly principals: number
  readonly throttled: number
  /** From the failover to the last login. */
  readonly allLoggedInAfterMs: number
}

/**
 * Simulates tokens that are kept unused: each principal gets one minutes ahead, and all log in for the first time within
 * the 2 s after a failover. No rate limiter can help: RDS counts first logins, and jeton does not see them.
 */
export async function simulateHoarding(
  principals: number,
  { session, seed }: { session: SessionMode; seed: string },
): Promise<HoardingResult> {
  const clock = createSimulationClock()
  const network = createNetwork({ clock, random: seededRandom(`${seed}/network`) })
  const random = seededRandom(`${seed}/hoarded`)
  const jeton = createJetonStrategy({ session })({ clock, network, random })
  const rds = createRds(clock)
  const failoverAt = clock.now() + 8 * MINUTE_MS
  let lastLoginAt = failoverAt

  async function logInAfterFailover(workload: number): Promise<void> {
    await clock.sleepUntil(clock.now() + random.between(0, 3 * MINUTE_MS))
    const password = await jeton.getPassword(workload, failoverAt)
    await clock.sleepUntil(failoverAt + random.between(0, 2000))
    const strategy = { ...jeton, getPassword: async () => password }
    await createConnect({ clock, random, strategy, rds, maxDelayMs: 0 }).connect(workload)
    lastLoginAt = clock.now()
  }

  await clock.run(() => Promise.all(Array.from({ length: principals }, (_, i) => logInAfterFailover(i))))
  return { principals, throttled: rds.throttled, allLoggedInAfterMs: lastLoginAt - failoverAt }
}
