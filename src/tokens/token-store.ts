import { randomUUID } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { decodeRecord, encodeRecord } from '../store/record-format.ts'
import type { EncryptedStore } from '../store/store.ts'
import { isCredible } from './lifetime.ts'
import type { Token } from './token.ts'
import type { TokenKey } from './token-key.ts'

/**
 * How long one instance may take to mint: longer than the waits for a slot (5 s), for another one if that was missed (1 s) and
 * for a role session (5 s) together. A call to STS may take longer than its caller waits, but needs no lease.
 */
export const LEASE_MS = 16_000
/** Smaller differences between instances' clocks are normal: up to 2 s is not corrected, and a correction is not exact. */
const MAX_CLOCK_DIFFERENCE_MS = 5000

/** A token that all instances share. */
export interface StoredToken {
  readonly token: Token
  /** How many tokens in a row, up to this one, were minted to replace one reported as rejected; 0 if it replaces none. */
  readonly replacements: number
  /** When it was signed (ms); `token.issuedAt` is rounded down to the second. */
  readonly mintedAt: number
}

/** What the store had for a key when it was read. Can be used for one `lease`. */
export interface TokenSnapshot {
  readonly stored: StoredToken | undefined
  /** Until when (ms) another instance has the lease; in the past if none has. */
  readonly leasedUntil: number
  readonly version: string | 'absent'
}

/** The right to mint the next token of a key. */
export interface Lease {
  /** When the lease ends by itself (ms). */
  readonly until: number
  /** Stores the token and ends the lease. Returns false if the lease was lost meanwhile: the other instance's record stays. */
  publish(next: StoredToken): Promise<boolean>
  /** Ends the lease and leaves the stored token as it was. */
  release(): Promise<void>
}

/**
 * One record for each key's token, which all instances share. An instance leases it by compare-and-swap before it mints. If
 * it is too late, another instance may have leased the record since: its version is then outdated and it can store nothing.
 *
 *     instance A   read: none ── lease ······ (slot, STS, signature, delivery) ······ publish: token
 *     instance B      read: none ── lease: conflict ── read: leased, wait ············· read: token
 *
 * Rejects with `temporarily_unavailable` if the store cannot be reached or the record cannot be read.
 */
export interface TokenStore {
  read(key: TokenKey): Promise<TokenSnapshot>
  /** Leases the record to this instance for 16 s. Returns undefined if the record has changed since the snapshot. */
  lease(key: TokenKey, snapshot: TokenSnapshot): Promise<Lease | undefined>
}

export interface TokenStoreParts {
  /** Records hold tokens, so a plain store is not enough. */
  encryptedStore: EncryptedStore
  clock: Clock
}

/** Returns a token store over an encrypted store. */
export function createTokenStore({ encryptedStore, clock }: TokenStoreParts): TokenStore {
  const instanceId = randomUUID()

  /**
   * Returns 0 if the record is free. A lease of this instance that it reads is one whose reply was lost; one that ends later
   * than any lease can was written by a wrong clock.
   */
  function leasedUntil(lease: TokenRecord['lease']): number {
    if (!lease || lease.by === instanceId) return 0
    return lease.until <= clock.now() + LEASE_MS + MAX_CLOCK_DIFFERENCE_MS ? lease.until : 0
  }

  async function read({ id }: TokenKey): Promise<TokenSnapshot> {
    const key = storeKey(id)
    const storedRecord = await encryptedStore.read(key)
    if (!storedRecord) return { ...NO_TOKEN, version: 'absent' }
    const { bytes, version } = storedRecord
    const record = decodeRecord(bytes, { key, now: clock.now() }) as TokenRecord | undefined
    if (!record) return { ...NO_TOKEN, version }
    const stored = isWhole(record.shared) ? fromRecord(record.shared) : undefined
    return { stored, leasedUntil: leasedUntil(record.lease), version }
  }

  async function lease({ id }: TokenKey, snapshot: TokenSnapshot): Promise<Lease | undefined> {
    const key = storeKey(id)
    const { stored, version: expectedVersion } = snapshot
    const until = clock.now() + LEASE_MS
    const shared = stored && toRecord(stored)
    const version = await encryptedStore.compareAndSwap({
      key,
      bytes: encodeRecord({ keepUntil: until, shared, lease: { by: instanceId, until } }),
      expectedVersion,
      expiresAt: Math.max(until, stored?.token.expiresAt ?? 0),
      keepUntil: until,
    })
    if (version === 'conflict') return undefined

    async function publish(next: StoredToken): Promise<boolean> {
      const keepUntil = clock.now() + LEASE_MS
      const { expiresAt } = next.token
      const bytes = encodeRecord({ keepUntil, shared: toRecord(next) })
      const write = { key, bytes, expectedVersion: version, expiresAt, keepUntil }
      return (await encryptedStore.compareAndSwap(write)) !== 'conflict'
    }

    /** The store has no delete: a record that expires at once counts as absent. */
    async function erase(): Promise<void> {
      const now = clock.now()
      const bytes = encodeRecord({ keepUntil: now })
      await encryptedStore.compareAndSwap({ key, bytes, expectedVersion: version, expiresAt: now })
    }

    async function release(): Promise<void> {
      if (stored) await publish(stored)
      else await erase()
    }

    return { until, publish, release }
  }

  return { read, lease }
}

const NO_TOKEN = { stored: undefined, leasedUntil: 0 }

const storeKey = (id: string) => `token/${id}`

/** The members of a record besides `v` and `keepUntil`. Never rename them: other releases read and write them. */
interface TokenRecord {
  readonly shared?: RecordedToken | null
  readonly lease?: { readonly by: string; readonly until: number }
}

interface RecordedToken extends Pick<StoredToken, 'token' | 'mintedAt'> {
  readonly replaces: boolean
  /** Only if it is more than `replaces` says: records of older releases have none. */
  readonly replacements?: number | undefined
}

/** Whether there is a token, whose times agree with each other. */
function isWhole(shared: TokenRecord['shared']): shared is RecordedToken {
  if (!shared?.token || !isCredible(shared.token)) return false
  return shared.mintedAt >= shared.token.issuedAt && shared.mintedAt <= shared.token.expiresAt
}

/** Members that a later release adds are kept: this instance may lease the record and put it back. */
function fromRecord({ replaces, replacements = replaces ? 1 : 0, ...members }: RecordedToken): StoredToken {
  return { ...members, replacements }
}

function toRecord({ replacements, ...members }: StoredToken): RecordedToken {
  const count = replacements > 1 ? { replacements } : {}
  return { ...members, replaces: replacements > 0, ...count }
}
