import type { SimulationClock } from './clock.ts'
import { formatCount } from './format.ts'
import { type Random, seededRandom } from './random.ts'

const MINUTE_MS = 60_000

/** What a load profile runs on. */
export interface LoadContext {
  readonly clock: SimulationClock
  readonly seed: string
  /** Opens one connection of a workload; resolves when it is open or given up. */
  connect(workload: number): Promise<void>
}

/** Which connections a fleet opens, and when: the same for every strategy. */
export interface LoadProfile {
  /** The beginning of a sentence in docs/fleet.md. */
  readonly description: string
  run(context: LoadContext): Promise<void>
}

/** Runs `behaviour` for each of so many workloads, each with a random stream of its own. */
function forEachWorkload(
  { workloads, seed }: { workloads: number; seed: string },
  behaviour: (workload: number, random: Random) => Promise<void>,
) {
  return Promise.all(
    Array.from({ length: workloads }, (_, workload) =>
      behaviour(workload, seededRandom(`${seed}/${workload}`)),
    ),
  )
}

export interface SteadyLoad {
  workloads: number
  /** All workloads start within this time. */
  rampMs: number
  /** From the beginning to the last new connection. */
  durationMs: number
  /** Between two connections of a workload, on average. */
  everyMs: number
}

/** Each workload starts within the ramp and then opens a connection now and then, one after the other. */
async function openSteadily(context: LoadContext, load: SteadyLoad): Promise<void> {
  const { clock, connect, seed } = context
  const { workloads, rampMs, durationMs, everyMs } = load
  const end = clock.now() + durationMs
  await forEachWorkload({ workloads, seed }, async (workload, random) => {
    await clock.sleepUntil(clock.now() + random.between(0, rampMs))
    while (clock.now() < end) {
      await connect(workload)
      await clock.sleepUntil(clock.now() + random.exponential(everyMs))
    }
  })
}

const minutes = (ms: number) => `${ms / MINUTE_MS} min`

export function steady(load: SteadyLoad): LoadProfile {
  const { workloads, rampMs, durationMs, everyMs } = load
  return {
    description: `${formatCount(workloads)} workloads start within ${minutes(rampMs)}; each opens a connection every ${minutes(everyMs)} on average, for ${minutes(durationMs)}`,
    run: context => openSteadily(context, load),
  }
}

export function deploy({ workloads, connections }: { workloads: number; connections: number }): LoadProfile {
  return {
    description: `${formatCount(workloads)} workloads restart within 1 min; each opens ${connections} connections at once`,
    async run({ clock, connect, seed }) {
      await forEachWorkload({ workloads, seed }, async (workload, random) => {
        await clock.sleepUntil(clock.now() + random.between(0, MINUTE_MS))
        await Promise.all(Array.from({ length: connections }, () => connect(workload)))
      })
    },
  }
}

export function topOfTheHour({ jobs }: { jobs: number }): LoadProfile {
  return {
    description: `${formatCount(jobs)} jobs start within 20 s, each a principal of its own: one connection, and a second one 30 s later`,
    async run({ clock, connect, seed }) {
      await forEachWorkload({ workloads: jobs, seed }, async (job, random) => {
        await clock.sleepUntil(clock.now() + random.between(0, 20_000))
        await connect(job)
        await clock.sleepUntil(clock.now() + 30_000)
        await connect(job)
      })
    },
  }
}

export function failover({ connections, ...before }: SteadyLoad & { connections: number }): LoadProfile {
  const { workloads, rampMs, durationMs, everyMs } = before
  return {
    description: `${formatCount(workloads)} workloads start within ${minutes(rampMs)}; each opens a connection every ${minutes(everyMs)} on average; after ${minutes(durationMs)} each opens ${connections} connections within 2 s`,
    async run(context) {
      const { clock, connect, seed } = context
      const failoverAt = clock.now() + durationMs
      const steadyLoad = openSteadily(context, before)
      await forEachWorkload({ workloads, seed: `${seed}/failover` }, async (workload, random) => {
        await clock.sleepUntil(failoverAt)
        const reconnect = async () => {
          await clock.sleepUntil(failoverAt + random.between(0, 2000))
          await connect(workload)
        }
        await Promise.all(Array.from({ length: connections }, reconnect))
      })
      await steadyLoad
    },
  }
}

/** Principals that use one database for hours, so that their tokens are renewed again and again. */
export function renewal(workloads: number, durationMs: number): LoadProfile {
  // The ramp is so slow that first tokens and renewals together stay under the limit, and ends before second renewals begin:
  // all three would be too much.
  const rampMs = Math.ceil(workloads / 430) * MINUTE_MS
  return steady({ workloads, rampMs, durationMs, everyMs: MINUTE_MS })
}

/** What `npm run bench:fleet` runs beside the hours of renewal. */
export const LOAD_PROFILES = {
  steady: steady({
    workloads: 2000,
    rampMs: 3 * MINUTE_MS,
    durationMs: 30 * MINUTE_MS,
    everyMs: MINUTE_MS,
  }),
  deploy: deploy({ workloads: 10_000, connections: 3 }),
  CI: topOfTheHour({ jobs: 3000 }),
  failover: failover({
    workloads: 4000,
    connections: 5,
    rampMs: 5 * MINUTE_MS,
    durationMs: 20 * MINUTE_MS,
    everyMs: MINUTE_MS,
  }),
} as const satisfies Record<string, LoadProfile>
