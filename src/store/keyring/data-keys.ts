import { createSecretKey } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { DAY_MS } from '../../lib/iso-time.ts'
import { parseJsonObject } from '../../lib/json.ts'
import { singleFlight, singleFlightByKey } from '../../lib/single-flight.ts'
import { remainingMs } from '../../lib/time-window.ts'
import type { Store } from '../store.ts'
import type { GuardedKms } from './guarded-kms.ts'
import type { DataKey } from './keyring.ts'

/** A key encrypts for two days at most, and no record lives for more than a day after that. */
const KEPT_MS = 3 * DAY_MS
const MAX_KEYS = 8
/** How long a failed lookup is remembered. */
const FAILURE_KEPT_MS = 60_000
/** Of how many ids a failed lookup is remembered: ids come from records, so they may be any text. */
const MAX_FAILURES = 100
const MAX_ATTEMPTS = 3
const UNDECRYPTABLE_RETRY_MS = 5000
const BUSY_RETRY_MS = 1000

/** Why a key is missing: the store has no record of it, or this instance cannot decrypt the record. */
type KeyLookupFailure = 'absent' | 'undecryptable'

type KeyLookup = { readonly key: DataKey } | { readonly missing: KeyLookupFailure }

export interface DataKeysParts {
  kms: GuardedKms
  /** Not an encrypted store: the records hold keys that KMS has encrypted. */
  store: Store
  clock: Clock
}

/** The data keys that a fleet shares, each in the record of its id. */
export interface DataKeys {
  /** Returns the key if this instance has it in memory. */
  get(id: string): DataKey | undefined
  /** Returns the shared key, or undefined if it is missing; a missing key is looked up again after a minute. */
  find(id: string): Promise<DataKey | undefined>
  /**
   * Returns the shared key, or generates and shares one if the store has none. Concurrent calls share one promise, whatever
   * their ids: at midnight a caller may get the key of the day that has just ended, which encrypts as well.
   */
  findOrCreate(id: string): Promise<DataKey>
}

/**
 * Returns the data keys of a store. A decrypted key stays in memory, so an instance that has it uses it even when KMS no
 * longer decrypts it. Calls reject with `temporarily_unavailable` if the store or KMS does not answer, and at once while KMS
 * fails.
 */
export function createDataKeys({ kms, store, clock }: DataKeysParts): DataKeys {
  const keys = new LRUCache<string, DataKey>({ max: MAX_KEYS })
  const failures = new LRUCache<string, { missing: KeyLookupFailure; since: number }>({ max: MAX_FAILURES })
  const lookups = singleFlightByKey<KeyLookup>()

  function remember(id: string, secret: Uint8Array): DataKey {
    const key = { id, secret: createSecretKey(secret) }
    keys.set(id, key)
    return key
  }

  function rememberFailure(id: string, missing: KeyLookupFailure): void {
    failures.set(id, { missing, since: clock.now() })
  }

  function knownFailure(id: string): KeyLookupFailure | undefined {
    const { missing, since = 0 } = failures.get(id) ?? {}
    return remainingMs({ since, forMs: FAILURE_KEPT_MS }, clock.now()) > 0 ? missing : undefined
  }

  async function readKey(id: string): Promise<KeyLookup> {
    const record = await store.read(id)
    if (!record) return { missing: 'absent' }
    const encryptedKey = decodeDataKey(record.bytes)
    const secret = encryptedKey && (await kms.decrypt(encryptedKey))
    if (secret) return { key: remember(id, secret) }
    rememberFailure(id, 'undecryptable')
    return { missing: 'undecryptable' }
  }

  function lookUp(id: string): Promise<KeyLookup> {
    return lookups.run(id, () => readKey(id))
  }

  /** Returns undefined if another instance was first. */
  async function generate(id: string): Promise<DataKey | undefined> {
    const { secret, encryptedKey } = await kms.generateDataKey()
    const expiresAt = clock.now() + KEPT_MS
    const outcome = await store.compareAndSwap({
      key: id,
      bytes: encodeDataKey(encryptedKey),
      expectedVersion: 'absent',
      expiresAt,
      keepUntil: expiresAt,
    })
    return outcome === 'conflict' ? undefined : remember(id, secret)
  }

  const lookUpOrGenerate = singleFlight(async (id: string): Promise<DataKey> => {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const lookup = await lookUp(id)
      if ('key' in lookup) return lookup.key
      if (lookup.missing === 'undecryptable') throw undecryptable(id)
      const key = await generate(id)
      if (key) return key
    }
    throw new JetonError('temporarily_unavailable', {
      publicMessage: 'the store is too busy; try again',
      reason: `the data key ${id} appeared and disappeared ${MAX_ATTEMPTS} times in a row`,
      retryAfterMs: BUSY_RETRY_MS,
    })
  })

  return {
    get: id => keys.get(id),
    async find(id) {
      if (knownFailure(id)) return undefined
      kms.throwIfRefusing()
      const lookup = await lookUp(id)
      if ('key' in lookup) return lookup.key
      if (lookup.missing === 'absent') rememberFailure(id, 'absent')
      return undefined
    },
    async findOrCreate(id) {
      kms.throwIfRefusing()
      if (knownFailure(id) === 'undecryptable') throw undecryptable(id)
      return lookUpOrGenerate(id)
    },
  }
}

/** A later version must keep the member `v`, with another value. */
function encodeDataKey(encryptedKey: Uint8Array): Buffer {
  const sealed = Buffer.from(encryptedKey).toString('base64')
  return Buffer.from(JSON.stringify({ v: 1, sealed }))
}

/** Returns undefined for a version that this release does not know. */
function decodeDataKey(bytes: Uint8Array): Buffer | undefined {
  const { v, sealed } = parseJsonObject(bytes) ?? {}
  return v === 1 && typeof sealed === 'string' ? Buffer.from(sealed, 'base64') : undefined
}

function undecryptable(id: string): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'the token cannot be encrypted now; try again later',
    reason: `today's data key of the fleet, ${id}, cannot be decrypted: jeton's role needs kms:Decrypt on the KMS key, and kmsKeyId must name the key that it named when the day began`,
    retryAfterMs: UNDECRYPTABLE_RETRY_MS,
  })
}
