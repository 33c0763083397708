import { asJetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { parseJsonObject } from '../../lib/json.ts'
import type { EncryptedStore } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import {
  isRoleFailureCode,
  MAX_FAILURES,
  markProbing,
  probingElsewhere,
  type RoleFailure,
  remainingBackoffMs,
} from './failure-backoff.ts'

/** How long a failure is remembered after its back-off, so that the next one backs off longer. */
const RECORD_KEPT_MS = 5 * 60_000
const VERSION = 1
/** What is longer, no release wrote. */
const MAX_RECORD_BYTES = 4096

/** What one instance knows about a role. */
export interface KnownRole {
  readonly id: string
  readonly arn: string
  /** Why it cannot be assumed; undefined if the last call for it succeeded, or there was none yet. */
  failure: RoleFailure | undefined
  /** The version of its record in the store, as it was last read or written. */
  version: string | 'absent'
}

/**
 * Shares failures of roles between the instances of a fleet: one record for each role, which the store drops some minutes
 * later. Nothing here throws: while the store fails, an instance uses what it knows itself. A record that cannot be
 * decoded, because another release wrote it or it is broken, counts as absent. It has a code and numbers alone: no text of
 * the table reaches a caller, a log or the audit log, even if it was written with a stolen key.
 */
export interface RoleFailures {
  /** Updates the role with what the fleet knows about it, if anything. */
  load(role: KnownRole): Promise<void>
  /** Reserves the next probe for this instance. Returns false if another instance has it. */
  claimProbe(role: KnownRole): Promise<boolean>
  /** Publishes to the fleet that the role fails, or that it works again. */
  publish(role: KnownRole): Promise<void>
}

/** What a record says: the role's failure, or that it works. */
interface RoleRecord {
  readonly failure: RoleFailure | undefined
}

export interface RoleFailuresParts {
  /** Records hold no secret, but with keys alone they cannot be forged: a forged one would keep everybody from a role. */
  encryptedStore: EncryptedStore
  clock: Clock
  log: Log
}

/** Returns the role failures that instances share through a store. */
export function createRoleFailures({ encryptedStore, clock, log }: RoleFailuresParts): RoleFailures {
  async function read(role: KnownRole): Promise<RoleRecord | undefined> {
    const stored = await encryptedStore.read(storeKey(role))
    role.version = stored?.version ?? 'absent'
    return stored && decode(stored.bytes)
  }

  /** Returns false if the record has changed since it was read. */
  async function write(role: KnownRole, failure: RoleFailure | undefined): Promise<boolean> {
    const until = failure?.retryAt ?? clock.now()
    const version = await encryptedStore.compareAndSwap({
      key: storeKey(role),
      bytes: encode(failure, until),
      expectedVersion: role.version,
      expiresAt: until + RECORD_KEPT_MS,
    })
    if (version === 'conflict') return false
    role.version = version
    return true
  }

  async function writeLatest(role: KnownRole): Promise<void> {
    const { failure } = role
    if (await write(role, failure)) return
    // the instance that has changed the record meanwhile knows as much about the role
    if (!failure) return
    const record = await read(role)
    if (!record?.failure || remainingBackoffMs(record.failure, clock.now()) === 0) await write(role, failure)
  }

  /** Returns what `work` resolves with, or undefined if the store fails. */
  async function orLocal<T>(role: KnownRole, work: Promise<T>): Promise<T | undefined> {
    try {
      return await work
    } catch (cause) {
      const { reason } = asJetonError(cause)
      log.warn(
        { event: 'role_failure_not_shared', role: role.arn, reason },
        'the store failed, so instances do not learn from each other whether this role can be assumed; each backs off by itself',
      )
      return undefined
    }
  }

  return {
    async load(role) {
      const versionBefore = role.version
      const record = await orLocal(role, read(role))
      if (record?.failure) {
        const isKnown = role.failure?.code === record.failure.code && !role.failure.isOwn
        const { cause } = (isKnown && role.failure) || record.failure
        role.failure = asSeenFromHere({ ...record.failure, cause }, clock.now())
      }
      // a record from before this instance's own failure, which it could not publish, says nothing of that failure
      else if (record && role.version !== versionBefore) role.failure = undefined
    },
    async claimProbe(role) {
      if (!role.failure) return true
      const now = clock.now()
      const probing = markProbing(role.failure, now)
      if ((await orLocal(role, write(role, probing))) !== false) return true
      role.failure = probingElsewhere(probing, now)
      return false
    },
    publish: role => orLocal(role, writeLatest(role)),
  }
}

function asSeenFromHere(failure: RoleFailure, now: number): RoleFailure {
  const isProbedNow = failure.isProbed && remainingBackoffMs(failure, now) > 0
  return isProbedNow ? probingElsewhere(failure, now) : failure
}

const storeKey = ({ id }: KnownRole) => `role/${id}`

/** Never rename the members: other releases read and write them. `failures: 0` means that the role works. */
function encode(failure: RoleFailure | undefined, until: number): Buffer {
  const { failures = 0, code, isProbed } = failure ?? {}
  return Buffer.from(JSON.stringify({ v: VERSION, failures, until, code, isProbed }))
}

function decode(bytes: Uint8Array): RoleRecord | undefined {
  const record = bytes.length > MAX_RECORD_BYTES ? undefined : parseJsonObject(bytes)
  if (record?.v !== VERSION || !isCount(record.failures)) return undefined
  const { failures, until, code, isProbed } = record
  if (failures === 0) return { failure: undefined }
  if (!isRoleFailureCode(code)) return undefined
  if (typeof until !== 'number' || !Number.isFinite(until)) return undefined
  return { failure: { failures, retryAt: until, code, isProbed: isProbed === true } }
}

const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_FAILURES
