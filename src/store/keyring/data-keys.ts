import { createSecretKey } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../lib/clock.ts'
import { DAY_MS } from '../../lib/iso-time.ts'
import { singleFlight, singleFlightByKey } from '../../lib/single-flight.ts'
import { remainingMs, type TimeWindow } from '../../lib/time-window.ts'
import { UnreadableRecord } from '../record-format.ts'
import type { Store } from '../store.ts'
import { type DataKeyPlace, dataKeyId, isUsable, parseDataKeyId } from './data-key-id.ts'
import { decodeDataKey, encodeDataKey } from './data-key-record.ts'
import type { GuardedKms } from './guarded-kms.ts'
import type { DataKey } from './keyring.ts'
import type { GeneratedDataKey } from './kms.ts'
import { createKmsAllowance } from './kms-allowance.ts'

const KEPT_MS = 3 * DAY_MS
/** Three days, and some more for keys that were replaced. */
const MAX_KEYS = 16
/** How long a failed lookup is remembered. */
const FAILURE_KEPT_MS = 60_000
/** Of how many ids a failed lookup is remembered: ids come from records, so they may be any text. */
const MAX_FAILURES = 100
const MAX_ATTEMPTS = 3
/** When to try again to share a key that could not be shared. */
const SHARE_PAUSE_MS = 60_000

/** A key, or the version of what is there instead; undefined if that must not be replaced now. */
type KeyLookup = { readonly key: DataKey } | { readonly version: string | 'absent' | undefined }

/** A key that this instance uses although no other can have it, because its record could not be written. */
interface UnsharedKey {
  readonly generated: GeneratedDataKey
  readonly pause: TimeWindow
}

export interface DataKeysParts {
  kms: GuardedKms
  /** What the names of the places of this KMS key begin with. */
  placePrefix: string
  /** Not an encrypted store: the records hold keys that KMS has encrypted. */
  store: Store
  clock: Clock
  /** Called when a key takes the place of a record that could not be opened. */
  onReplaced(place: DataKeyPlace): void
  /** Called once a minute while a key cannot be shared. */
  onNotShared(place: DataKeyPlace): void
}

/** The data keys that a fleet shares, one in the record of each day. */
export interface DataKeys {
  /** Returns the key if this instance has it in memory and it is of use now. */
  get(id: string): DataKey | undefined
  /** Returns the key that this instance last found at a place, or put there, if any. */
  latest(place: DataKeyPlace): DataKey | undefined
  /** Returns the shared key of that id, or undefined if it is not there; it is looked for again after a minute, and 10 a minute at most. */
  find(id: string): Promise<DataKey | undefined>
  /**
   * Returns the shared key of a place. If there is none, or one that cannot be opened, generates one and puts it there; if
   * others keep coming first, returns it unshared. Concurrent calls share one promise, whatever the place: at midnight a
   * caller may get the key of the day that has just ended, which encrypts as well.
   */
  findOrCreate(place: DataKeyPlace): Promise<DataKey>
  /** Tries to share the key of a place that could not be shared, once a minute; in the background, and without failing. */
  shareAgain(place: DataKeyPlace): void
}

/**
 * Returns the data keys of a store. A decrypted key stays in memory, so an instance that has it uses it even when KMS no
 * longer decrypts it. Calls reject with `temporarily_unavailable` if the store or KMS does not answer, and at once while KMS
 * fails. Whoever can write to the table can put anything into the records: it costs each instance 14 calls to KMS a minute at most.
 */
export function createDataKeys(parts: DataKeysParts): DataKeys {
  const { kms, placePrefix, store, clock, onReplaced, onNotShared } = parts
  const keys = new LRUCache<string, DataKey>({ max: MAX_KEYS })
  const latestKeys = new LRUCache<string, DataKey>({ max: MAX_KEYS })
  const unshared = new LRUCache<string, UnsharedKey>({ max: MAX_KEYS })
  const failures = new LRUCache<string, TimeWindow>({ max: MAX_FAILURES })
  const lookups = singleFlightByKey<KeyLookup>()
  const allowance = createKmsAllowance(clock)

  function remember(place: DataKeyPlace, bytes: Uint8Array): DataKey {
    const secret = createSecretKey(bytes)
    const key = { id: dataKeyId(place, secret), secret }
    keys.set(key.id, key)
    latestKeys.set(place.recordKey, key)
    unshared.delete(place.recordKey)
    return key
  }

  async function readKey(place: DataKeyPlace): Promise<KeyLookup> {
    const record = await orUnreadable(store.read(place.recordKey))
    if (record === 'unreadable') return { version: undefined }
    if (!record) return { version: 'absent' }
    const { version } = record
    const encryptedKey = decodeDataKey(record.bytes)
    if (!encryptedKey) return { version }
    const secret = await kms.decrypt(encryptedKey, place.boundTo)
    return secret ? { key: remember(place, secret) } : { version }
  }

  function lookUp(place: DataKeyPlace): Promise<KeyLookup> {
    return lookups.run(place.recordKey, () => readKey(place))
  }

  /** Returns false if another instance was first, or what is there must not be replaced now. */
  async function write(
    { recordKey }: DataKeyPlace,
    { encryptedKey, expectedVersion }: { encryptedKey: Uint8Array; expectedVersion: string },
  ): Promise<boolean> {
    const expiresAt = clock.now() + KEPT_MS
    const bytes = encodeDataKey(encryptedKey)
    const outcome = await orUnreadable(
      store.compareAndSwap({ key: recordKey, bytes, expectedVersion, expiresAt }),
    )
    return outcome !== 'conflict' && outcome !== 'unreadable'
  }

  const lookUpOrGenerate = singleFlight(async (place: DataKeyPlace): Promise<DataKey> => {
    let generated = unshared.get(place.recordKey)?.generated
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const lookup = await lookUp(place)
      if ('key' in lookup) return lookup.key
      const { version } = lookup
      if (version === undefined) break
      generated ??= await kms.generateDataKey(place.recordKey)
      if (await write(place, { encryptedKey: generated.encryptedKey, expectedVersion: version })) {
        if (version !== 'absent') onReplaced(place)
        return remember(place, generated.secret)
      }
    }
    generated ??= await kms.generateDataKey(place.recordKey)
    const key = remember(place, generated.secret)
    unshared.set(place.recordKey, { generated, pause: { since: clock.now(), forMs: SHARE_PAUSE_MS } })
    onNotShared(place)
    return key
  })

  async function find(id: string): Promise<DataKey | undefined> {
    const failure = failures.get(id)
    if (failure && remainingMs(failure, clock.now()) > 0) return undefined
    const place = parseDataKeyId(id)
    if (!place || !isUsable(place, clock.now())) return undefined
    // one that is bound to nothing decrypts under any name, and there is room for few
    if (place.boundTo === undefined && !place.name.startsWith(placePrefix)) return undefined
    kms.throwIfRefusing()
    // not for `findOrCreate`: whoever writes ids into records must not use up what the key of the day needs
    if (!allowance.take()) return undefined
    const lookup = await lookUp(place)
    if ('key' in lookup && lookup.key.id === id) return lookup.key
    failures.set(id, { since: clock.now(), forMs: FAILURE_KEPT_MS })
    return undefined
  }

  async function findOrCreate(place: DataKeyPlace): Promise<DataKey> {
    kms.throwIfRefusing()
    return lookUpOrGenerate(place)
  }

  return {
    get(id) {
      const key = keys.get(id)
      const place = key && parseDataKeyId(id)
      return place && isUsable(place, clock.now()) ? key : undefined
    },
    latest: ({ recordKey }) => latestKeys.get(recordKey),
    find,
    findOrCreate,
    shareAgain(place) {
      const { pause } = unshared.get(place.recordKey) ?? {}
      if (pause && remainingMs(pause, clock.now()) === 0) findOrCreate(place).catch(() => undefined)
    },
  }
}

async function orUnreadable<T>(work: Promise<T>): Promise<T | 'unreadable'> {
  try {
    return await work
  } catch (cause) {
    if (cause instanceof UnreadableRecord) return 'unreadable'
    throw cause
  }
}
