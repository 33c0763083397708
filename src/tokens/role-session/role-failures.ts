import { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import { markProbing, probingElsewhere, type RoleFailure, restLeftMs } from './role-failure.ts'

/** For how long after its rest a failure counts as the one before the next. */
const KEPT_MS = 5 * 60_000
const VERSION = 1

/** One role as one instance knows it. */
export interface KnownRole {
  readonly id: string
  readonly arn: string
  /** Why it could not be assumed; undefined where its last answer was good or there was none yet. */
  failure: RoleFailure | undefined
  /** Of its record on the store, as it was last seen. */
  version: string | 'absent'
}

/**
 * What a fleet tells itself of roles that fail: a record for each on the store, gone by itself some minutes later. Nothing
 * here throws: where the store fails, an instance goes by what it knows itself. A record that cannot be made sense of, of
 * another release or broken, is as good as none.
 */
export interface RoleFailures {
  /** Takes over what the fleet knows, where it knows anything. */
  load(role: KnownRole): Promise<void>
  /** Reserves the next question to AWS for this instance. False where another has it. */
  claimProbe(role: KnownRole): Promise<boolean>
  /** Tells the fleet the role's failure, or that it is over. */
  publish(role: KnownRole): Promise<void>
}

export function createRoleFailures({
  store,
  clock,
  log,
}: {
  store: Store
  clock: Clock
  log: Log
}): RoleFailures {
  /** Null for a role that is well; undefined where nothing is known. */
  async function read(role: KnownRole): Promise<RoleFailure | null | undefined> {
    const found = await store.read(storeKey(role))
    role.version = found?.version ?? 'absent'
    return found && parse(found.bytes)
  }

  async function put(role: KnownRole, failure: RoleFailure | undefined): Promise<boolean> {
    const until = failure?.until ?? clock.now()
    const bytes = Buffer.from(JSON.stringify({ v: VERSION, failures: 0, until, ...failure }))
    const change = { key: storeKey(role), bytes, expectedVersion: role.version, expiresAt: until + KEPT_MS }
    const version = await store.compareAndSwap(change)
    if (version === 'conflict') return false
    role.version = version
    return true
  }

  async function orAlone<T>(role: KnownRole, work: Promise<T>): Promise<T | undefined> {
    try {
      return await work
    } catch (cause) {
      const reason = cause instanceof JetonError ? cause.reason : undefined
      log.warn(
        { event: 'role_failure_not_shared', role: role.arn, reason },
        'failures of a role could not be shared with other instances',
      )
      return undefined
    }
  }

  async function share(role: KnownRole): Promise<void> {
    const { failure } = role
    if (await put(role, failure)) return
    // whoever has changed the record meanwhile knows as much
    if (!failure) return
    const found = await read(role)
    if (!found || restLeftMs(found, clock.now()) === 0) await put(role, failure)
  }

  return {
    async load(role) {
      const { version } = role
      const found = await orAlone(role, read(role))
      if (found) role.failure = goingBy(found, clock.now())
      // a record that said so before this instance's own failure, which it could not share, says nothing of it
      else if (found === null && role.version !== version) role.failure = undefined
    },
    async claimProbe(role) {
      const { failure } = role
      if (!failure) return true
      const now = clock.now()
      if ((await orAlone(role, put(role, markProbing(failure, now)))) !== false) return true
      role.failure = probingElsewhere(markProbing(failure, now), now)
      return false
    },
    publish: role => orAlone(role, share(role)),
  }
}

function goingBy(found: RoleFailure, now: number): RoleFailure {
  return found.isProbed && restLeftMs(found, now) > 0 ? probingElsewhere(found, now) : found
}

const storeKey = ({ id }: KnownRole) => `role/${id}`

function parse(bytes: Uint8Array): RoleFailure | null | undefined {
  const record = parseJson(bytes)
  if (record?.v !== VERSION || !isCount(record.failures)) return undefined
  const { failures, until, code, reason, publicMessage, isProbed } = record
  if (failures === 0) return null
  if (code !== 'role_refused' && code !== 'temporarily_unavailable') return undefined
  if (!Number.isFinite(until) || typeof reason !== 'string' || typeof publicMessage !== 'string')
    return undefined
  return { failures, until: Number(until), code, reason, publicMessage, isProbed: isProbed === true }
}

function parseJson(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown> | null
  } catch {
    return null
  }
}

const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0
