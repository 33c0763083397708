import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom } from '../simulation/random.ts'
import type { Deliveries } from './deliveries.ts'
import type { SoakFleet } from './fleet.ts'
import { createRequester, type Outcomes, type Requester } from './requests.ts'

const REGULARS = 8
const REGULAR_INTERVAL_MS = 250
const NEWCOMER_INTERVAL_MS = 2000
/** Members of the swarm that wait at the same time. */
const SWARM_WAITING = 60
/** So many that a new token for each takes minutes, and so few that all of them fit into a server's memory. */
const SWARM_SIZE = 600
const SWARM_INTERVAL_MS = 50

/** How callers of one kind fared. */
export interface Fared {
  readonly outcomes: Outcomes
  /** How long each of them waited for a token (ms). */
  readonly waitsMs: readonly number[]
}

export interface CallersResult {
  readonly regulars: Fared
  readonly newcomers: Fared
  readonly swarm: Fared
}

/**
 * Lets callers ask for tokens until `signal` aborts, and then finish. Regulars ask for the token of all over and over.
 * Newcomers come one by one, each for a token of its own. The swarm wants all slots: an entitled caller that rotates its
 * subject, and reports each token that it gets as refused by the database, so that it may have another.
 */
export async function runCallers(
  fleet: SoakFleet,
  { deliveries, signal, seed }: { deliveries: Deliveries; signal: AbortSignal; seed: string },
): Promise<CallersResult> {
  const kindOf = (name: string) => {
    const requester = createRequester({ fleet, deliveries, random: seededRandom(`${seed} ${name}`) })
    return { requester, outcomes: requester.outcomes, waitsMs: [] as number[] }
  }
  const [regulars, newcomers, swarm] = [kindOf('regulars'), kindOf('newcomers'), kindOf('swarm')]

  async function beRegular(i: number): Promise<void> {
    const request = { subject: `regular-${i}`, user: i % 2 === 0 ? 'app_ro' : 'app_rw' }
    await repeat(REGULAR_INTERVAL_MS, signal, () => askAndNote(regulars, request))
  }

  async function sendNewcomers(): Promise<void> {
    const all: Promise<void>[] = []
    let count = 0
    await repeat(NEWCOMER_INTERVAL_MS, signal, async () => {
      all.push(askAndNote(newcomers, { subject: `newcomer-${count++}`, user: 'migrator' }))
    })
    await Promise.all(all)
  }

  /** Never rejects. A newcomer that is still without a token in the end has waited until then. */
  async function askAndNote(
    kind: ReturnType<typeof kindOf>,
    request: Parameters<Requester['requestOnce']>[0],
  ) {
    const startedAt = Date.now()
    const served = await kind.requester.requestUntilServed(request, signal)
    kind.waitsMs.push(served?.waitedMs ?? Date.now() - startedAt)
  }

  let nextOfSwarm = 0
  const lastFingerprints = new Map<string, string>()
  async function beOfSwarm(): Promise<void> {
    await repeat(SWARM_INTERVAL_MS, signal, async () => {
      const subject = `swarm-${nextOfSwarm++ % SWARM_SIZE}`
      const refused = lastFingerprints.get(subject)
      const served = await swarm.requester.requestUntilServed(
        { subject, user: 'app_ro', ...(refused !== undefined && { refused }) },
        signal,
      )
      if (served) lastFingerprints.set(subject, String(served.body.fingerprint))
    })
  }

  await Promise.all([
    ...Array.from({ length: REGULARS }, (_, i) => beRegular(i)),
    sendNewcomers(),
    ...Array.from({ length: SWARM_WAITING }, beOfSwarm),
  ])
  return { regulars, newcomers, swarm }
}

async function repeat(intervalMs: number, signal: AbortSignal, ask: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await ask()
    await pause(intervalMs, undefined, { signal }).catch(() => {})
  }
}
