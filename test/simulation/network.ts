import type { AuditLog } from '../../src/audit/audit-log.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import type { RoleSession } from '../../src/tokens/token.ts'
import type { FleetClock } from './clock.ts'
import type { Random } from './random.ts'

/** A role session's hour, as AWS gives it by default. */
const SESSION_MS = 3_600_000
/** How many of a hundred calls to the store are slow. */
const SLOW_PERCENT = 1

/** All that lies between the parts of a fleet, with its delays: HTTP, the store, STS, the audit log. */
export interface Network {
  /** One way of a request to jeton, or back. */
  http(): Promise<void>
  /** The one store that all instances share. */
  readonly store: Store
  /** The log is always there and takes as long as a disk or a network does. */
  readonly auditLog: AuditLog
  /** STS, which never throttles here. */
  assume(sessionName: string): Promise<RoleSession>
  readonly calls: { store: number; sts: number }
}

export function createNetwork({ clock, random }: { clock: FleetClock; random: Random }): Network {
  const calls = { store: 0, sts: 0 }
  const inner = createMemoryStore(clock)
  const takes = (low: number, high: number) => clock.sleepUntil(clock.now() + random.between(low, high))

  /** 2 to 10 ms, and one call in a hundred up to 60 ms; the store acts half-way through. */
  async function stored<T>(act: () => Promise<T>): Promise<T> {
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
    http: () => takes(1, 5),
    store: {
      read: key => stored(() => inner.read(key)),
      compareAndSwap: change => stored(() => inner.compareAndSwap(change)),
    },
    auditLog: {
      write: () => takes(1, 8),
      writeRefusal() {},
      flushDue() {},
      drain: () => Promise.resolve(),
      headHash: () => undefined,
      close: () => Promise.resolve(),
    },
    async assume(sessionName) {
      const nth = ++calls.sts
      await takes(40, 150)
      return {
        accessKeyId: `ASIA${nth}`,
        secretAccessKey: `secret-${nth}`,
        sessionToken: `session-${nth}`,
        expiresAt: clock.now() + SESSION_MS,
        identity: `arn:aws:sts::123456789012:assumed-role/jeton-orders/${sessionName}`,
      }
    },
  }
}
