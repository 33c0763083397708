import { randomUUID } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { decodeRecord, encodeRecord } from '../store/record-format.ts'
import type { EncryptedStore } from '../store/store.ts'
import type { Token } from './token.ts'
import type { TokenKey } from './token-key.ts'

/**
 * How long one instance may be at minting: longer than a turn (5 s, and 1 s for one that was missed) and an STS that
 * answers at its last moment (8 s) together.
 */
export const LEASE_MS = 16_000
/** Clocks that differ by less are not corrected, and a correction is as fine as its source. */
const CLOCKS_DIFFER_MS = 5000

/** A token as all instances have it. */
export interface StoredToken {
  readonly token: Token
  /** Whether it stands for one that the database refused. */
  readonly replaces: boolean
  /** When it was signed (ms); `token.issuedAt` is floored to the second. */
  readonly mintedAt: number
}

/** What the store said of a key. Good for one `lease`. */
export interface TokenSnapshot {
  readonly shared: StoredToken | undefined
  /** Until when (ms) another instance is at minting the next; in the past where none is. */
  readonly leasedUntil: number
  readonly version: string | 'absent'
}

/** The right to put the next token of a key. */
export interface Lease {
  /** When it ends by itself (ms). */
  readonly until: number
  /** Puts the token and ends the lease. False where the lease was lost meanwhile: what another put stays. */
  publish(shared: StoredToken): Promise<boolean>
  /** Ends the lease with the old token left as it was. */
  release(): Promise<void>
}

/**
 * The one record of a key's token that all instances share. Whoever wants to mint leases it first, by a swap from what it
 * has seen; who has lost its lease, by being late or by dying, finds another version there and can put nothing.
 *
 *     instance A   look: none ── lease ······ (turn, STS, signature, hand-out) ······ publish: token
 *     instance B      look: none ── lease: conflict ── look: leased, look again later ············ look: token
 *
 * Rejects with `temporarily_unavailable` where the store cannot be reached or the record cannot be read.
 */
export interface TokenStore {
  read(key: TokenKey): Promise<TokenSnapshot>
  /** Undefined where the record has changed since it was seen. */
  lease(key: TokenKey, seen: TokenSnapshot): Promise<Lease | undefined>
}

export interface TokenStoreParts {
  /** Holds tokens, so a plain store does not do. */
  encryptedStore: EncryptedStore
  clock: Clock
}

export function createTokenStore({ encryptedStore, clock }: TokenStoreParts): TokenStore {
  const me = randomUUID()

  /** A lease of our own that we do not know of is one whose reply was lost. One by a clock that was wrong binds nobody. */
  function leasedUntil({ lease }: TokenRecord): number {
    if (!lease || lease.by === me) return 0
    return lease.until > clock.now() + LEASE_MS + CLOCKS_DIFFER_MS ? 0 : lease.until
  }

  return {
    async read({ id }) {
      const key = storeKey(id)
      const found = await encryptedStore.read(key)
      if (!found) return { ...NOTHING, version: 'absent' }
      const record = decodeRecord(found.bytes, { key, now: clock.now() }) as TokenRecord | undefined
      const { version } = found
      return record
        ? { shared: record.shared, leasedUntil: leasedUntil(record), version }
        : { ...NOTHING, version }
    },
    async lease({ id }, { shared, version: expectedVersion }) {
      const key = storeKey(id)
      const until = clock.now() + LEASE_MS
      const expiresAt = Math.max(until, shared?.token.expiresAt ?? 0)
      const keepUntil = Math.max(until, shared?.token.refreshAfter ?? 0)
      const bytes = encodeRecord({ keepUntil, shared, lease: { by: me, until } })
      const version = await encryptedStore.compareAndSwap({
        key,
        bytes,
        expectedVersion,
        expiresAt,
        keepUntil,
      })
      if (version === 'conflict') return undefined

      async function put(next: StoredToken): Promise<boolean> {
        const { refreshAfter: keepUntil, expiresAt } = next.token
        const bytes = encodeRecord({ keepUntil, shared: next })
        return (
          (await encryptedStore.compareAndSwap({
            key,
            bytes,
            expectedVersion: version,
            expiresAt,
            keepUntil,
          })) !== 'conflict'
        )
      }
      return {
        until,
        publish: put,
        async release() {
          if (shared) await put(shared)
          else {
            // a record that is over as soon as it stands: as good as none
            const now = clock.now()
            await encryptedStore.compareAndSwap({
              key,
              bytes: encodeRecord({ keepUntil: now }),
              expectedVersion: version,
              expiresAt: now,
            })
          }
        },
      }
    },
  }
}

const NOTHING = { shared: undefined, leasedUntil: 0 }

/** What a record holds beside what every record does. */
interface TokenRecord {
  readonly shared?: StoredToken
  readonly lease?: { readonly by: string; readonly until: number }
}

const storeKey = (id: string) => `token/${id}`
