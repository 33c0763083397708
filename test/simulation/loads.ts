import type { FleetClock } from './clock.ts'
import { type Random, seeded } from './random.ts'

const MINUTE = 60_000

/** What a load is played with. */
export interface Drive {
  readonly clock: FleetClock
  readonly seed: string
  /** Opens one connection of a workload; resolves when it is open, or given up. */
  connect(workload: number): Promise<void>
}

/** Which connections a fleet opens, and when: the same for every contender. */
export interface Load {
  readonly told: string
  play(drive: Drive): Promise<void>
}

/** Runs a story for each workload, each with chance of its own. */
function each(
  workloads: number,
  { seed }: Drive,
  story: (workload: number, random: Random) => Promise<void>,
) {
  return Promise.all(
    Array.from({ length: workloads }, (_, workload) => story(workload, seeded(`${seed}/${workload}`))),
  )
}

export interface Recycling {
  workloads: number
  rampMs: number
  /** From the beginning to the last new connection. */
  durationMs: number
  /** Between one connection and the next of a workload, on average. */
  everyMs: number
}

/** Comes up within the ramp; from then on each workload opens a connection now and then, one after the other. */
async function recycle(drive: Drive, { workloads, rampMs, durationMs, everyMs }: Recycling): Promise<void> {
  const { clock, connect } = drive
  const end = clock.now() + durationMs
  await each(workloads, drive, async (workload, random) => {
    await clock.sleepUntil(clock.now() + random.between(0, rampMs))
    while (clock.now() < end) {
      await connect(workload)
      await clock.sleepUntil(clock.now() + random.exponential(everyMs))
    }
  })
}

const count = (n: number) => n.toLocaleString('en-US')
const minutes = (ms: number) => `${ms / MINUTE} min`

export function steady(recycling: Recycling): Load {
  const { workloads, rampMs, durationMs, everyMs } = recycling
  return {
    told: `${count(workloads)} workloads that come up within ${minutes(rampMs)}; each opens a connection every ${minutes(everyMs)} on average, for ${minutes(durationMs)}`,
    play: drive => recycle(drive, recycling),
  }
}

export function deploy({ workloads, connections }: { workloads: number; connections: number }): Load {
  return {
    told: `${count(workloads)} workloads restart within 1 min, each opens ${connections} connections at once`,
    async play(drive) {
      await each(workloads, drive, async (workload, random) => {
        await drive.clock.sleepUntil(drive.clock.now() + random.between(0, MINUTE))
        await Promise.all(Array.from({ length: connections }, () => drive.connect(workload)))
      })
    },
  }
}

export function topOfTheHour({ jobs }: { jobs: number }): Load {
  return {
    told: `${count(jobs)} jobs start within 20 s, each a principal of its own: one connection, and a second one 30 s later`,
    async play(drive) {
      const { clock, connect } = drive
      await each(jobs, drive, async (job, random) => {
        await clock.sleepUntil(clock.now() + random.between(0, 20_000))
        await connect(job)
        await clock.sleepUntil(clock.now() + 30_000)
        await connect(job)
      })
    },
  }
}

export function failover({ connections, ...recycling }: Recycling & { connections: number }): Load {
  const { workloads, rampMs, durationMs, everyMs } = recycling
  return {
    told: `${count(workloads)} workloads that come up within ${minutes(rampMs)} and open a connection every ${minutes(everyMs)}; after ${minutes(durationMs)} each opens ${connections} connections within 2 s`,
    async play(drive) {
      const { clock, connect } = drive
      const failsAt = clock.now() + durationMs
      const before = recycle(drive, recycling)
      await each(workloads, { ...drive, seed: `${drive.seed}/failover` }, async (workload, random) => {
        await clock.sleepUntil(failsAt)
        const reconnect = async () => {
          await clock.sleepUntil(failsAt + random.between(0, 2000))
          await connect(workload)
        }
        await Promise.all(Array.from({ length: connections }, reconnect))
      })
      await before
    },
  }
}

/** Principals on one database for hours: what only a steady pace of renewal can hold. */
export function renewal(workloads: number, durationMs: number): Load {
  // so slowly that first tokens and renewals together do not want more than the pace
  const rampMs = Math.ceil(workloads / 400) * MINUTE
  return steady({ workloads, rampMs, durationMs, everyMs: MINUTE })
}

/** What `npm run bench:fleet` plays beside the hours of renewal. */
export const LOADS = {
  steady: steady({ workloads: 2000, rampMs: 3 * MINUTE, durationMs: 30 * MINUTE, everyMs: MINUTE }),
  deploy: deploy({ workloads: 10_000, connections: 3 }),
  CI: topOfTheHour({ jobs: 3000 }),
  failover: failover({
    workloads: 4000,
    connections: 5,
    rampMs: 5 * MINUTE,
    durationMs: 20 * MINUTE,
    everyMs: MINUTE,
  }),
} as const satisfies Record<string, Load>
