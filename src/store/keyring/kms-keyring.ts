import { createSecretKey } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { asJetonError, JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { sha256Hex } from '../../lib/hash.ts'
import type { Health } from '../../telemetry/health.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Store } from '../store.ts'
import { guardKms } from './guarded-kms.ts'
import type { DataKey, Keyring } from './keyring.ts'
import type { Kms } from './kms.ts'

const DAY_MS = 86_400_000
/** A key seals for two days at most, and nothing that is sealed lives for a day. */
const KEPT_MS = 3 * DAY_MS
const HELD = 8
/** How long it is believed that a key cannot be had, and of how many. */
const UNKNOWN_MS = 60_000
const MOST_UNKNOWN = 100
const TRIES = 3
const COME_BACK_MS = 5000
const ID = /^data-key\/[0-9a-f]{12}\/\d{4}-\d{2}-\d{2}$/

export interface KmsKeyringParts {
  kms: Kms
  /** As configured: instances share data keys where it is the same text. */
  kmsKeyId: string
  /** Where the data keys stand, as KMS sealed them: not a sealed store. */
  store: Store
  clock: Clock
  log: Log
  health: Health
}

/** Why a key is not to be had. */
type Lack = 'absent' | 'refused'

/**
 * One data key for the whole fleet and each UTC day, made by KMS for whoever needs it first and shared through the store:
 *
 *     instance A   read data-key/…/2026-11-23: absent ── KMS generates ── swap absent → its key
 *     instance B   read data-key/…/2026-11-23: absent ── KMS generates ── swap: conflict ── read, KMS opens A's key
 *
 * The id of a key names its record, so every instance finds any of them, whatever day its own clock has. Keys are held in
 * memory: one that KMS no longer opens goes on being used by who holds it, for two days at most.
 */
export function createKmsKeyring({
  kms: asked,
  kmsKeyId,
  store,
  clock,
  log,
  health,
}: KmsKeyringParts): Keyring {
  const kms = guardKms(asked, { clock, log, health })
  const prefix = `data-key/${sha256Hex(kmsKeyId).slice(0, 12)}`
  const held = new LRUCache<string, DataKey>({ max: HELD })
  const lacking = new LRUCache<string, { lack: Lack; until: number }>({ max: MOST_UNKNOWN })
  const finding = new Map<string, Promise<DataKey | Lack>>()
  let obtaining: Promise<DataKey> | undefined
  /** Whether today's key was there when it was last wanted, and whether the log knows who stands in for it. */
  let isWell = true
  let isTold = false

  const idOf = (ms: number) => `${prefix}/${new Date(ms).toISOString().slice(0, 10)}`

  function hold(id: string, secret: Uint8Array): DataKey {
    const key = { id, secret: createSecretKey(secret) }
    held.set(id, key)
    return key
  }

  function knownLack(id: string): Lack | undefined {
    const { lack, until = 0 } = lacking.get(id) ?? {}
    const leftMs = until - clock.now()
    return leftMs > 0 && leftMs <= UNKNOWN_MS ? lack : undefined
  }

  function remember(id: string, lack: Lack): Lack {
    lacking.set(id, { lack, until: clock.now() + UNKNOWN_MS })
    return lack
  }

  async function find(id: string): Promise<DataKey | Lack> {
    const record = await store.read(id)
    if (!record) return 'absent'
    const sealed = parseRecord(record.bytes)
    const secret = sealed && (await kms.decrypt(sealed))
    return secret ? hold(id, secret) : remember(id, 'refused')
  }

  /** One flight for each key. */
  function findOnce(id: string): Promise<DataKey | Lack> {
    const flight = finding.get(id) ?? find(id).finally(() => finding.delete(id))
    finding.set(id, flight)
    return flight
  }

  /** Undefined where another instance was first. */
  async function make(id: string): Promise<DataKey | undefined> {
    const { secret, sealed } = await kms.generateDataKey()
    const expiresAt = clock.now() + KEPT_MS
    const bytes = renderRecord(sealed)
    const swapped = await store.compareAndSwap({
      key: id,
      bytes,
      expectedVersion: 'absent',
      expiresAt,
      keepUntil: expiresAt,
    })
    return swapped === 'conflict' ? undefined : hold(id, secret)
  }

  async function obtain(id: string): Promise<DataKey> {
    for (let tries = 0; tries < TRIES; tries++) {
      const found = await findOnce(id)
      if (found === 'refused') throw refused(id)
      const key = found === 'absent' ? await make(id) : found
      if (key) return key
    }
    throw new JetonError('temporarily_unavailable', {
      publicMessage: 'the store is too busy; try again',
      reason: `the data key ${id} was there and gone again, ${TRIES} times in a row`,
      retryAfterMs: 1000,
    })
  }

  function report(ok: boolean) {
    if (ok !== isWell) health.report('store', { ok, of: 'data key' })
    isWell = ok
    if (ok) isTold = false
  }

  async function todays(id: string): Promise<DataKey> {
    try {
      kms.refuseWhileResting()
      if (knownLack(id) === 'refused') throw refused(id)
      obtaining ??= obtain(id).finally(() => {
        obtaining = undefined
      })
      const key = await obtaining
      report(true)
      return key
    } catch (cause) {
      report(false)
      throw cause
    }
  }

  function goOnWith(yesterdays: DataKey, reason: string | undefined): DataKey {
    if (!isTold)
      log.warn(
        { event: 'data_key_outdated', key: yesterdays.id, reason },
        "today's data key cannot be had: yesterday's goes on",
      )
    isTold = true
    return yesterdays
  }

  return {
    async encryptionKey() {
      const now = clock.now()
      const key = held.get(idOf(now))
      if (key) {
        report(true)
        return key
      }
      const yesterdays = held.get(idOf(now - DAY_MS))
      const today = todays(idOf(now))
      // nobody waits for a KMS that fails while there is a key
      if (yesterdays && kms.isFailing()) {
        today.catch(() => undefined)
        return goOnWith(yesterdays, 'KMS fails')
      }
      try {
        return await today
      } catch (cause) {
        if (!yesterdays) throw cause
        return goOnWith(yesterdays, asJetonError(cause).reason)
      }
    },
    async decryptionKey(id) {
      const key = held.get(id)
      if (key) return key
      if (!ID.test(id) || knownLack(id)) return undefined
      kms.refuseWhileResting()
      const found = await findOnce(id)
      if (found === 'absent') remember(id, found)
      return typeof found === 'string' ? undefined : found
    },
  }
}

/** Every later version must keep `v`, and have another. */
function renderRecord(sealed: Uint8Array): Buffer {
  return Buffer.from(JSON.stringify({ v: 1, sealed: Buffer.from(sealed).toString('base64') }))
}

/** Undefined where it is of a version that this release does not know. */
function parseRecord(bytes: Uint8Array): Buffer | undefined {
  try {
    const { v, sealed } = JSON.parse(Buffer.from(bytes).toString()) as { v?: unknown; sealed?: unknown }
    return v === 1 && typeof sealed === 'string' ? Buffer.from(sealed, 'base64') : undefined
  } catch {
    return undefined
  }
}

function refused(id: string): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'what is stored cannot be sealed; try again later',
    reason: `${id}, the data key that the fleet shares today, cannot be opened: jeton's role needs kms:Decrypt on the key, and kmsKeyId must lead to the key that it led to when the day began`,
    retryAfterMs: COME_BACK_MS,
  })
}
