import { LRUCache } from 'lru-cache'
import type { JetonError } from '../../errors.ts'
import type { BackgroundTasks } from '../../lib/background-tasks.ts'
import type { Clock } from '../../lib/clock.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { canonicalJson } from '../../lib/json.ts'
import { getOrCreate } from '../../lib/maps.ts'
import { type SingleFlight, singleFlight } from '../../lib/single-flight.ts'
import { remainingMs } from '../../lib/time-window.ts'
import type { EncryptedStore } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { RoleSession } from '../token.ts'
import type { TokenKey } from '../token-key.ts'
import type { AssumeRole } from './assume-role.ts'
import { failureAfter, failureError, PROBE_POLL_MS, remainingBackoffMs } from './failure-backoff.ts'
import { createRoleFailures, type KnownRole } from './role-failures.ts'
import { type RoleAssumer, SESSION_WAIT_MS } from './session-provider.ts'
import { roleFailure } from './sts-failure.ts'

/** The most roles remembered; one that is forgotten is treated like a new one. */
const MAX_ROLES = 1000
/** How long a success keeps the breaker closed. Short, because a role may break while thousands of callers need it. */
const CLOSED_MS = 10_000
/** The most concurrent calls while the breaker is closed; further callers first wait for one of them to end, 5 s at most. */
const MAX_CONCURRENT = 8

export interface RoleBreakerParts {
  encryptedStore: EncryptedStore
  backgroundTasks: BackgroundTasks
  clock: Clock
  log: Log
  /** From 0 to 1, as `Math.random`. */
  random(): number
}

interface Role extends KnownRole {
  /** Until when (ms) callers need not wait for a probe. */
  closedUntil: number
  /** Calls to AWS while the breaker is closed. */
  readonly inFlight: Set<Promise<unknown>>
  /** The only call to AWS while the role is new, fails, or has not been assumed for a while. */
  readonly probe: SingleFlight<[TokenKey], RoleSession>
}

/**
 * Returns a role assumer with a circuit breaker for each role, shared by the fleet. While a breaker is open, for 1 s and later
 * up to 16 s, callers get the remembered error. Then one instance probes with one call, and its result counts for
 * all. A success keeps the breaker closed for 10 s without reads of the store; after that the first caller reads the store
 * and probes again. A role is an ARN with an external id: if the configuration changes either, it is another role.
 *
 *     instance A   call ✗ open 1 s ····· claim, probe ✗ open 2 s ·································· claim ✗
 *     instance B   call ✗ ·············· claim: conflict ······· load: open until … ······ claim, probe ✓ closed for all
 *
 * Instances that find a role broken for the first time at the same moment each fail once. What is wrong with an instance's own
 * credentials opens its own breaker alone.
 */
export function createRoleBreaker(
  assumeRole: AssumeRole,
  { encryptedStore, backgroundTasks, clock, log, random }: RoleBreakerParts,
): RoleAssumer {
  const roles = new LRUCache<string, Role>({ max: MAX_ROLES })
  const failures = createRoleFailures({ encryptedStore, clock, log })

  function roleOf({ database: { roleArn: arn, externalId } }: TokenKey): Role {
    const id = sha256Hex(canonicalJson({ roleArn: arn, externalId }))
    return getOrCreate<string, Role>(roles, { key: id, create: () => createRole(id, arn) })
  }

  function createRole(id: string, arn: string): Role {
    const role: Role = {
      id,
      arn,
      failure: undefined,
      version: 'absent',
      closedUntil: 0,
      inFlight: new Set(),
      probe: singleFlight(key => probe(role, key)),
    }
    return role
  }

  function throwIfOpen({ arn: roleArn, failure }: Role): void {
    const retryAfterMs = failure ? remainingBackoffMs(failure, clock.now()) : 0
    if (failure && retryAfterMs > 0) throw failureError(failure, { roleArn, retryAfterMs })
  }

  async function call(role: Role, key: TokenKey): Promise<RoleSession> {
    const before = role.failure
    // a call that began before the breaker's state changed does not change it again
    const isNews = () => role.failure === before
    try {
      const session = await assumeRole(key)
      if (isNews()) close(role)
      return session
    } catch (cause) {
      if (isNews()) open(role, cause)
      throwIfOpen(role)
      throw cause
    }
  }

  function close(role: Role): void {
    role.closedUntil = clock.now() + CLOSED_MS
    if (!role.failure) return
    const { isOwn } = role.failure
    role.failure = undefined
    log.info({ event: 'role_recovered', role: role.arn }, 'the role can be assumed again')
    if (!isOwn) backgroundTasks.add(failures.publish(role))
  }

  function open(role: Role, cause: unknown): void {
    const failure = failureAfter(cause, { previous: role.failure, now: clock.now(), random: random() })
    if (!failure) return
    role.closedUntil = 0
    role.failure = failure
    if (!failure.isOwn) backgroundTasks.add(failures.publish(role))
  }

  function callConcurrently(role: Role, key: TokenKey): Promise<RoleSession> {
    const session = call(role, key)
    const end: Promise<unknown> = session.catch(() => {}).finally(() => role.inFlight.delete(end))
    role.inFlight.add(end)
    return session
  }

  async function probe(role: Role, key: TokenKey): Promise<RoleSession> {
    await failures.load(role)
    throwIfOpen(role)
    if (!role.failure?.isOwn && !(await failures.claimProbe(role))) throwIfOpen(role)
    return call(role, key)
  }

  async function assume(key: TokenKey, since = clock.now()): Promise<RoleSession> {
    const role = roleOf(key)
    throwIfOpen(role)
    if (clock.now() < role.closedUntil) {
      if (role.inFlight.size < MAX_CONCURRENT) return callConcurrently(role, key)
      await Promise.race(role.inFlight)
      // its caller has gone: the place is for those who still wait
      if (remainingMs({ since, forMs: SESSION_WAIT_MS }, clock.now()) === 0) throw tooMany(role)
      return assume(key, since)
    }
    if (!role.probe.isUnderWay()) return role.probe(key)
    // rejects as the probe does; its session is for another key
    await role.probe(key)
    return assume(key)
  }

  return {
    assume: key => assume(key),
    check(key) {
      const role = roleOf(key)
      throwIfOpen(role)
      // a probe is likely to fail, so no caller should wait for it
      if (role.failure && role.probe.isUnderWay())
        throw failureError(role.failure, { roleArn: role.arn, retryAfterMs: PROBE_POLL_MS })
    },
  }
}

function tooMany({ arn: roleArn }: Role): JetonError {
  const description = `too many sessions are asked for at once: ${MAX_CONCURRENT} calls are under way, and STS is slow`
  return roleFailure('temporarily_unavailable', { roleArn, description })
}
