import { randomUUID } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { decodeRecord, encodeRecord } from '../store/record-format.ts'
import type { EncryptedStore } from '../store/store.ts'
import type { Token } from './token.ts'
import type { TokenKey } from './token-key.ts'

/**
 * How long one instance may take to mint: longer than a slot (5 s, and 1 s for one that was missed) and an STS reply at its
 * last moment (8 s) together.
 */
export const LEASE_MS = 16_000
/** Clocks that differ by less are not corrected, and a correction is as precise as its source. */
const MAX_CLOCK_DIFFERENCE_MS = 5000

/** A token as all instances have it. */
export interface StoredToken {
  readonly token: Token
  /** Whether it was minted to replace one that the database rejected. */
  readonly isReplacement: boolean
  /** When it was signed (ms); `token.issuedAt` is rounded down to the second. */
  readonly mintedAt: number
}

/** What the store had for a key when it was read. Good for one `lease`. */
export interface TokenSnapshot {
  readonly stored: StoredToken | undefined
  /** Until when (ms) another instance has the lease; in the past if none has. */
  readonly leasedUntil: number
  readonly version: string | 'absent'
}

/** The right to mint the next token of a key. */
export interface Lease {
  /** When it ends by itself (ms). */
  readonly until: number
  /** Stores the token and ends the lease. Returns false if the lease was lost meanwhile: the other instance's record stays. */
  publish(next: StoredToken): Promise<boolean>
  /** Ends the lease and leaves the stored token as it was. */
  release(): Promise<void>
}

/**
 * The one record of a key's token that all instances share. An instance leases it by compare-and-swap before it mints. One
 * that is late or has died has lost its lease: its version is no longer current, so it can store nothing.
 *
 *     instance A   read: none ── lease ······ (slot, STS, signature, delivery) ······ publish: token
 *     instance B      read: none ── lease: conflict ── read: leased, wait ············· read: token
 *
 * Rejects with `temporarily_unavailable` if the store cannot be reached or the record cannot be read.
 */
export interface TokenStore {
  read(key: TokenKey): Promise<TokenSnapshot>
  /** Returns undefined if the record has changed since the snapshot. */
  lease(key: TokenKey, snapshot: TokenSnapshot): Promise<Lease | undefined>
}

export interface TokenStoreParts {
  /** Records hold tokens, so a plain store is not enough. */
  encryptedStore: EncryptedStore
  clock: Clock
}

export function createTokenStore({ encryptedStore, clock }: TokenStoreParts): TokenStore {
  const instanceId = randomUUID()

  /**
   * A lease of this instance's own that it reads back is one whose reply was lost. One that ends further ahead than any can
   * was written by a wrong clock.
   */
  function leasedUntil(lease: TokenRecord['lease']): number {
    if (!lease || lease.by === instanceId) return 0
    return lease.until > clock.now() + LEASE_MS + MAX_CLOCK_DIFFERENCE_MS ? 0 : lease.until
  }

  async function read({ id }: TokenKey): Promise<TokenSnapshot> {
    const key = storeKey(id)
    const found = await encryptedStore.read(key)
    if (!found) return { ...NO_TOKEN, version: 'absent' }
    const { bytes, version } = found
    const record = decodeRecord(bytes, { key, now: clock.now() }) as TokenRecord | undefined
    if (!record) return { ...NO_TOKEN, version }
    const stored = record.shared ? fromRecord(record.shared) : undefined
    return { stored, leasedUntil: leasedUntil(record.lease), version }
  }

  async function lease({ id }: TokenKey, snapshot: TokenSnapshot): Promise<Lease | undefined> {
    const key = storeKey(id)
    const { stored, version: expectedVersion } = snapshot
    const until = clock.now() + LEASE_MS
    const keepUntil = Math.max(until, stored?.token.refreshAfter ?? 0)
    const shared = stored && toRecord(stored)
    const version = await encryptedStore.compareAndSwap({
      key,
      bytes: encodeRecord({ keepUntil, shared, lease: { by: instanceId, until } }),
      expectedVersion,
      expiresAt: Math.max(until, stored?.token.expiresAt ?? 0),
      keepUntil,
    })
    if (version === 'conflict') return undefined

    async function publish(next: StoredToken): Promise<boolean> {
      const { refreshAfter: keepUntil, expiresAt } = next.token
      const bytes = encodeRecord({ keepUntil, shared: toRecord(next) })
      const change = { key, bytes, expectedVersion: version, expiresAt, keepUntil }
      return (await encryptedStore.compareAndSwap(change)) !== 'conflict'
    }

    /** The store has no delete: a record that expires at once is as good as none. */
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

/** What a record holds beside `v` and `keepUntil`. Other releases read and write these names: they stay. */
interface TokenRecord {
  readonly shared?: RecordedToken | null
  readonly lease?: { readonly by: string; readonly until: number }
}

interface RecordedToken extends Pick<StoredToken, 'token' | 'mintedAt'> {
  readonly replaces: boolean
}

/** Members that a later release adds are kept: this instance may lease the record and put it back. */
function fromRecord({ replaces, ...members }: RecordedToken): StoredToken {
  return { ...members, isReplacement: replaces }
}

function toRecord({ isReplacement, ...members }: StoredToken): RecordedToken {
  return { ...members, replaces: isReplacement }
}
