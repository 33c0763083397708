import { setMaxListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom } from '../simulation/random.ts'
import { type AuditLogsResult, checkAuditLogs } from './audit-logs.ts'
import { type CallersResult, runCallers } from './callers.ts'
import { countDeliveries, type Deliveries } from './deliveries.ts'
import { disturb } from './disturbances.ts'
import { startSoakFleet } from './fleet.ts'
import { type MemoryTrend, memoryTrend, sampleMemory } from './memory.ts'
import { countWarnings, findBugs } from './server-logs.ts'

/** The share of the run after which the first instance is not killed any more, and after which its memory is measured. */
const SPARE_SHARE = 0.25
const WARM_SHARE = 0.45

export interface SoakResult {
  readonly seconds: number
  readonly callers: CallersResult
  readonly deliveries: Deliveries
  readonly auditLogs: AuditLogsResult
  /** How often each disturbance ran. */
  readonly disturbances: ReadonlyMap<string, number>
  readonly memory: MemoryTrend | undefined
  readonly bugs: readonly string[]
  /** What the servers warned of, by event. */
  readonly warnings: ReadonlyMap<string, number>
  readonly unexpectedEnds: readonly string[]
  readonly assumeRoleCalls: number
  readonly hasClockSteps: boolean
}

export interface RunOptions {
  seconds: number
  seed: string
  /** Whether clocks are set; true unless given. */
  setsClocks?: boolean
}

/**
 * Runs two instances on one table for `seconds`, while callers ask, a swarm takes what it can get, and one thing after the
 * other fails. Returns what came of it; does not check it.
 */
export async function runSoak({ seconds, seed, setsClocks = true }: RunOptions): Promise<SoakResult> {
  const fleet = await startSoakFleet()
  const { instances, environment } = fleet
  try {
    const [measured] = instances as [(typeof instances)[number]]
    const random = seededRandom(`${seed} disturbances`)
    const deliveries = countDeliveries(environment.sts)
    const over = new AbortController()
    const { signal } = over
    setMaxListeners(0, signal)
    const startedAt = Date.now()
    const after = (share: number) => startedAt + share * seconds * 1000

    const running = Promise.all([
      runCallers(fleet, { deliveries, signal, seed }),
      disturb(fleet, { random, signal, spareFrom: after(SPARE_SHARE), setsClocks }),
      sampleMemory(measured, signal),
    ])
    await Promise.race([pause(seconds * 1000), running])
    over.abort()
    const [callers, disturbances, samples] = await running

    const lastHashes = await Promise.all(instances.map(instance => instance.stop()))
    return {
      seconds,
      callers,
      deliveries,
      auditLogs: await checkAuditLogs(instances, { deliveries, lastHashes }),
      disturbances,
      memory: memoryTrend(samples, after(WARM_SHARE)),
      bugs: instances.flatMap(({ stderr }) => findBugs(stderr())),
      warnings: countWarnings(instances.flatMap(({ stderr }) => stderr())),
      unexpectedEnds: instances.flatMap(({ unexpectedEnds }) => unexpectedEnds),
      assumeRoleCalls: environment.sts.calls.filter(({ outcome }) => outcome === 'issued').length,
      hasClockSteps: instances.every(({ hasSettableClock }) => hasSettableClock),
    }
  } finally {
    for (const { server } of instances) server?.process.kill('SIGKILL')
    await fleet.close()
  }
}
