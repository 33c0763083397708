import { asJetonError, JetonError } from '../../errors.ts'
import type { BackgroundTasks } from '../../lib/background-tasks.ts'
import type { Clock } from '../../lib/clock.ts'
import { withTimeout } from '../../lib/deadline.ts'
import { DAY_MS } from '../../lib/iso-time.ts'
import type { Health } from '../../telemetry/health.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Store } from '../store.ts'
import { type DataKeyPlace, dataKeyPlace, placePrefix } from './data-key-id.ts'
import { createDataKeys } from './data-keys.ts'
import { guardKms } from './guarded-kms.ts'
import type { DataKey, Keyring } from './keyring.ts'
import type { Kms } from './kms.ts'

/** How long a caller waits for a key (ms). The call to KMS has more time and goes on beside: who comes back has the key. */
const KEY_WAIT_MS = 5000
/** The same if yesterday's key will do. */
const OPTIONAL_KEY_WAIT_MS = 1000
const RETRY_AFTER_MS = 1000

export interface KmsKeyringParts {
  kms: Kms
  /** As configured: instances share data keys if this is the same text. */
  kmsKeyId: string
  /** Holds the data keys, encrypted by KMS: not an encrypted store. */
  store: Store
  clock: Clock
  log: Log
  health: Health
  /** Tracks calls that outlive their callers. */
  backgroundTasks: BackgroundTasks
}

/**
 * Returns a keyring with one data key for the whole fleet and each UTC day. The first instance that needs it lets KMS
 * generate it, and shares it through the store:
 *
 *     instance A   read data-key/…/2026-11-23/bound: absent ── KMS generates ── compare-and-swap ── uses its own key
 *     instance B   read data-key/…/2026-11-23/bound: absent ── KMS generates ── conflict ── read ── KMS decrypts A's key
 *
 * A key's id names its day and the key itself, so every instance finds any of them, whatever day its own clock has, and
 * notices if another one has taken its place. While today's key is not available because KMS or the store fails or is slow,
 * the previous day's stays in use: keys stay in memory.
 */
export function createKmsKeyring(parts: KmsKeyringParts): Keyring {
  const { kmsKeyId, store, clock, log, health, backgroundTasks } = parts
  const kms = guardKms(parts.kms, { clock, log, health })
  const dataKeys = createDataKeys({
    kms,
    placePrefix: placePrefix(kmsKeyId),
    store,
    clock,
    onReplaced: warnReplaced,
    onNotShared: warnNotShared,
  })
  let hasCurrentKey = true
  let hasWarned = false

  function warnReplaced({ recordKey: record }: DataKeyPlace): void {
    log.warn(
      { event: 'data_key_replaced', record },
      'the record of a data key could not be opened, and another key has taken its place; if neither kmsKeyId, its alias nor the role has changed, somebody else writes to the table of the store',
    )
  }

  function warnNotShared({ recordKey: record }: DataKeyPlace): void {
    log.warn(
      { event: 'data_key_not_shared', record },
      "the record of today's data key cannot be written: this instance encrypts with a key of its own, so other instances mint tokens of their own; it tries again in a minute",
    )
  }

  function report(ok: boolean): void {
    if (ok !== hasCurrentKey) health.report('store', { ok, of: 'data key' })
    hasCurrentKey = ok
    if (ok) hasWarned = false
  }

  async function obtain(place: DataKeyPlace): Promise<DataKey> {
    try {
      const key = await dataKeys.findOrCreate(place)
      report(true)
      return key
    } catch (cause) {
      report(false)
      throw cause
    }
  }

  function fallBackOn(previousKey: DataKey, reason: string | undefined): DataKey {
    if (!hasWarned)
      log.warn(
        { event: 'data_key_outdated', key: previousKey.id, reason },
        "today's data key is not available; encrypting with the previous day's until it is",
      )
    hasWarned = true
    return previousKey
  }

  /** Rejects after `timeoutMs`, while the work goes on. */
  function waitFor<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
    backgroundTasks.add(work)
    return withTimeout(() => work, { clock, timeoutMs, timedOut: () => slowKms(kmsKeyId) })
  }

  return {
    async encryptionKey() {
      const now = clock.now()
      const place = dataKeyPlace(kmsKeyId, now)
      const currentKey = dataKeys.latest(place)
      if (currentKey) {
        report(true)
        dataKeys.shareAgain(place)
        return currentKey
      }
      const previousKey = dataKeys.latest(dataKeyPlace(kmsKeyId, now - DAY_MS))
      const obtaining = obtain(place)
      // while KMS fails and there is a key to use, no caller waits for it
      if (previousKey && kms.isFailing()) {
        backgroundTasks.add(obtaining)
        return fallBackOn(previousKey, 'KMS fails')
      }
      try {
        return await waitFor(obtaining, previousKey ? OPTIONAL_KEY_WAIT_MS : KEY_WAIT_MS)
      } catch (cause) {
        if (!previousKey) throw cause
        return fallBackOn(previousKey, asJetonError(cause).reason)
      }
    },
    decryptionKey: async id => dataKeys.get(id) ?? waitFor(dataKeys.find(id), KEY_WAIT_MS),
  }
}

function slowKms(kmsKeyId: string): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'the store cannot be used yet; try again',
    reason: `KMS has not answered in time for the key ${kmsKeyId}; the call goes on, and what it returns serves the next request. If this lasts, check jeton's network, its proxy, and the region of the key`,
    retryAfterMs: RETRY_AFTER_MS,
  })
}
