import type { Clock } from '../../../src/lib/clock.ts'
import type { RecordWrite, Store } from '../../../src/store/store.ts'

/** A table that a stranger can read and write too. */
export interface HostileTable extends Store {
  /** The keys of all records that are there, or ever were. */
  keys(): string[]
  /** Everything that jeton has written under a key, oldest first. */
  written(key: string): readonly Uint8Array[]
  /** What is under a key now. */
  peek(key: string): Uint8Array | undefined
  /** Puts bytes under a key without a condition, to expire in a day. */
  plant(key: string, bytes: Uint8Array): void
  remove(key: string): void
}

const DAY_MS = 86_400_000

/** Returns an empty table in memory. */
export function createHostileTable(clock: Pick<Clock, 'now'>): HostileTable {
  const items = new Map<string, { bytes: Uint8Array; version: string; expiresAt: number }>()
  const writes = new Map<string, Uint8Array[]>()
  let lastVersion = 0

  function liveItem(key: string) {
    const item = items.get(key)
    return item && item.expiresAt > clock.now() ? item : undefined
  }

  function put(key: string, item: Pick<RecordWrite, 'bytes' | 'expiresAt'>): string {
    const version = `v${++lastVersion}`
    items.set(key, { bytes: Uint8Array.from(item.bytes), expiresAt: item.expiresAt, version })
    return version
  }

  return {
    async read(key) {
      const item = liveItem(key)
      return item && { bytes: Uint8Array.from(item.bytes), version: item.version }
    },
    async compareAndSwap({ key, bytes, expectedVersion, expiresAt }) {
      if ((liveItem(key)?.version ?? 'absent') !== expectedVersion) return 'conflict'
      writes.set(key, [...(writes.get(key) ?? []), Uint8Array.from(bytes)])
      return put(key, { bytes, expiresAt })
    },
    keys: () => [...new Set([...items.keys(), ...writes.keys()])],
    written: key => writes.get(key) ?? [],
    peek: key => items.get(key)?.bytes,
    plant: (key, bytes) => void put(key, { bytes, expiresAt: clock.now() + DAY_MS }),
    remove: key => void items.delete(key),
  }
}
