import type { AuditLog } from '../../src/audit/audit-log.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import type { RoleSession } from '../../src/tokens/token.ts'
import type { SimulationClock } from './clock.ts'
import type { Random } from './random.ts'

/** AWS's default for a role session. */
const SESSION_LIFETIME_MS = 3_600_000
/** How many of a hundred store calls are slow. */
const SLOW_PERCENT = 1

/** Everything a fleet calls, each with its delay: HTTP, the store, STS, the audit log. */
export interface Network {
  /** One way of a request to jeton, or back. */
  http(): Promise<void>
  /** The one store that all instances share. */
  readonly store: Store
  /** Never fails, and takes as long as a disk or a network does. */
  readonly auditLog: AuditLog
  /** STS's AssumeRole, which never throttles here. */
  assumeRole(sessionName: string): Promise<RoleSession>
  readonly calls: { store: number; sts: number }
  /** The times (ms) of the calls to STS. */
  readonly assumedAt: readonly number[]
}

export function createNetwork({ clock, random }: { clock: SimulationClock; random: Random }): Network {
  const calls = { store: 0, sts: 0 }
  const assumedAt: number[] = []
  const memoryStore = createMemoryStore(clock)
  const wait = (low: number, high: number) => clock.sleepUntil(clock.now() + random.between(low, high))

  /** Takes 2 to 10 ms, and one call in a hundred up to 60 ms; the store acts half-way through. */
  async function callStore<T>(act: () => Promise<T>): Promise<T> {
    calls.store++
    const isSlow = random.next() * 100 < SLOW_PERCENT
    const halfMs = random.between(2, isSlow ? 60 : 10) / 2
    await clock.sleepUntil(clock.now() + halfMs)
    const result = await act()
    await clock.sleepUntil(clock.now() + halfMs)
    return result
  }

  return {
    calls,
    assumedAt,
    http: () => wait(1, 5),
    store: {
      read: key => callStore(() => memoryStore.read(key)),
      compareAndSwap: write => callStore(() => memoryStore.compareAndSwap(write)),
    },
    auditLog: {
      write: () => wait(1, 8),
      writeLine: (_line, onWritten) => void wait(1, 8).then(() => onWritten()),
      admitRefusal: () => undefined,
      announce() {},
      flushDue() {},
      drain: () => Promise.resolve(),
      headHash: () => undefined,
      close: () => Promise.resolve(),
    },
    async assumeRole(sessionName) {
      const count = ++calls.sts
      assumedAt.push(clock.now())
      await wait(40, 150)
      return {
        accessKeyId: `ASIA${count}`,
        secretAccessKey: `secret-${count}`,
        sessionToken: `session-${count}`,
        expiresAt: clock.now() + SESSION_LIFETIME_MS,
        identity: `arn:aws:sts::123456789012:assumed-role/jeton-orders/${sessionName}`,
      }
    },
  }
}
