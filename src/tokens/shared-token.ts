import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Shelf } from '../shelf/shelf.ts'
import { parseVersioned, renderVersioned } from '../shelf/versioned.ts'
import type { TokenKey } from './key.ts'
import type { Token } from './token.ts'

/**
 * How long one instance may be at minting: longer than a turn (5 s, and 1 s for one that was missed) and an STS that
 * answers at its last moment (8 s) together.
 */
export const LEASE_MS = 16_000
/** Clocks that differ by less are not corrected, and a correction is as fine as its source. */
const CLOCKS_DIFFER_MS = 5000

/** A token as all instances have it. */
export interface SharedToken {
  readonly token: Token
  /** Whether it stands for one that the database refused. */
  readonly replaces: boolean
  /** When it was signed (ms); `token.issuedAt` is floored to the second. */
  readonly mintedAt: number
}

/** What the shelf said of a key. Good for one `lease`. */
export interface Seen {
  readonly shared: SharedToken | undefined
  /** Until when (ms) another instance is at minting the next; in the past where none is. */
  readonly leasedUntil: number
  readonly version: string | 'absent'
}

/** The right to put the next token of a key. */
export interface Lease {
  /** When it ends by itself (ms). */
  readonly until: number
  /** Puts the token and ends the lease. False where the lease was lost meanwhile: what another put stays. */
  publish(shared: SharedToken): Promise<boolean>
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
export interface SharedTokens {
  look(key: TokenKey): Promise<Seen>
  /** Undefined where the record has changed since it was seen. */
  lease(key: TokenKey, seen: Seen): Promise<Lease | undefined>
}

export function createSharedTokens({ shelf, clock }: { shelf: Shelf; clock: Clock }): SharedTokens {
  const me = randomUUID()

  /** A lease of our own that we do not know of is one whose reply was lost. One by a clock that was wrong binds nobody. */
  function leasedUntil({ lease }: TokenRecord): number {
    if (!lease || lease.by === me) return 0
    return lease.until > clock.now() + LEASE_MS + CLOCKS_DIFFER_MS ? 0 : lease.until
  }

  return {
    async look({ id }) {
      const key = shelfKey(id)
      const found = await shelf.read(key)
      if (!found) return { ...NOTHING, version: 'absent' }
      const record = parseVersioned(found.bytes, { key, now: clock.now() }) as TokenRecord | undefined
      const { version } = found
      return record
        ? { shared: record.shared, leasedUntil: leasedUntil(record), version }
        : { ...NOTHING, version }
    },
    async lease({ id }, { shared, version: was }) {
      const key = shelfKey(id)
      const until = clock.now() + LEASE_MS
      const expiresAt = Math.max(until, shared?.token.expiresAt ?? 0)
      const keepUntil = Math.max(until, shared?.token.refreshAfter ?? 0)
      const bytes = renderVersioned({ keepUntil, shared, lease: { by: me, until } })
      const version = await shelf.swap({ key, bytes, was, expiresAt, keepUntil })
      if (version === 'conflict') return undefined

      async function put(next: SharedToken): Promise<boolean> {
        const { refreshAfter: keepUntil, expiresAt } = next.token
        const bytes = renderVersioned({ keepUntil, shared: next })
        return (await shelf.swap({ key, bytes, was: version, expiresAt, keepUntil })) !== 'conflict'
      }
      return {
        until,
        publish: put,
        async release() {
          if (shared) await put(shared)
          else {
            // a record that is over as soon as it stands: as good as none
            const now = clock.now()
            await shelf.swap({
              key,
              bytes: renderVersioned({ keepUntil: now }),
              was: version,
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
  readonly shared?: SharedToken
  readonly lease?: { readonly by: string; readonly until: number }
}

const shelfKey = (id: string) => `token/${id}`
