import { LRUCache } from 'lru-cache'
import type { BackgroundTasks } from '../../lib/background-tasks.ts'
import type { Clock } from '../../lib/clock.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { canonicalJson } from '../../lib/json.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { RoleSession } from '../token.ts'
import type { TokenKey } from '../token-key.ts'
import type { AssumeRole } from './assume-role.ts'
import { asError, failureOf, LOOK_AGAIN_MS, restLeftMs } from './role-failure.ts'
import { createRoleFailures, type KnownRole } from './role-failures.ts'
import type { RoleAssumer } from './session-provider.ts'

/** Roles remembered at once; one that is forgotten is asked like a new one. */
const MOST_ROLES = 1000

export interface RoleBreakerParts {
  store: Store
  backgroundTasks: BackgroundTasks
  clock: Clock
  log: Log
  /** From 0 to 1, as `Math.random`. */
  random(): number
}

/** For so long a good answer says that the role works: it may break at any time, and thousands may want it then. */
const WORKS_MS = 10_000

/** So many ask a role at once, that works: the next get to know how these end. */
const MOST_AT_ONCE = 8

interface Role extends KnownRole {
  /** Until when (ms) its last good answer lets any number ask at once; then one asks first again. */
  worksUntil: number
  /** What is being asked of a role that works. */
  readonly underWay: Set<Promise<unknown>>
  /** The one question to a role that is new or fails. */
  probe: Promise<RoleSession> | undefined
}

/**
 * Asks AWS for role sessions, and leaves a role alone that has just failed: for a second, growing to half a minute, for
 * all instances that share the store. Then one of them asks again, once; whoever asked meanwhile gets the remembered
 * error. A role that has worked in the last 10 s is asked at once and costs the store nothing; one that was not asked for
 * longer is asked by one of its callers first, after one read, and the others go by how that ends. Eight at a time ask a
 * role that works, so that one that breaks costs no more failures than that.
 *
 *     instance A   ask ✗ rest 1 s ····· claim, ask ✗ rest 2 s ········································ claim ✗
 *     instance B   ask ✗ ·············· claim: conflict ······· look: rests until … ·········· claim, ask ✓ everyone
 *
 * Instances that find a role broken for the first time at the same moment each fail once. A role is its ARN with its
 * external id: a changed configuration is another role.
 */
export function createRoleBreaker(
  assume: AssumeRole,
  { store, backgroundTasks, clock, log, random }: RoleBreakerParts,
): RoleAssumer {
  const roles = new LRUCache<string, Role>({ max: MOST_ROLES })
  const records = createRoleFailures({ store, clock, log })

  function roleOf({ database: { roleArn: arn, externalId } }: TokenKey): Role {
    const id = sha256Hex(canonicalJson({ roleArn: arn, externalId }))
    const known = roles.get(id)
    if (known) return known
    const role: Role = {
      id,
      arn,
      failure: undefined,
      version: 'absent',
      worksUntil: 0,
      underWay: new Set(),
      probe: undefined,
    }
    roles.set(id, role)
    return role
  }

  function throwWhileResting({ failure }: Role): void {
    const leftMs = failure ? restLeftMs(failure, clock.now()) : 0
    if (failure && leftMs > 0) throw asError(failure, leftMs)
  }

  async function ask(role: Role, key: TokenKey): Promise<RoleSession> {
    const before = role.failure
    // what was asked before the last turn of events says nothing new
    const isNews = () => role.failure === before
    try {
      const session = await assume(key)
      if (isNews()) noteSuccess(role)
      return session
    } catch (cause) {
      if (isNews()) noteFailure(role, cause)
      throwWhileResting(role)
      throw cause
    }
  }

  function noteSuccess(role: Role): void {
    role.worksUntil = clock.now() + WORKS_MS
    if (!role.failure) return
    role.failure = undefined
    log.info({ event: 'role_recovered', role: role.arn }, 'the role can be assumed again')
    backgroundTasks.add(records.publish(role))
  }

  function noteFailure(role: Role, cause: unknown): void {
    const failure = failureOf(cause, { before: role.failure, now: clock.now(), random: random() })
    if (!failure) return
    role.worksUntil = 0
    role.failure = failure
    backgroundTasks.add(records.publish(role))
  }

  function askAmongOthers(role: Role, key: TokenKey): Promise<RoleSession> {
    const asking = ask(role, key)
    const end: Promise<unknown> = asking.catch(() => {}).finally(() => role.underWay.delete(end))
    role.underWay.add(end)
    return asking
  }

  async function probe(role: Role, key: TokenKey): Promise<RoleSession> {
    await records.load(role)
    throwWhileResting(role)
    if (!(await records.claimProbe(role))) throwWhileResting(role)
    return ask(role, key)
  }

  async function session(key: TokenKey): Promise<RoleSession> {
    const role = roleOf(key)
    throwWhileResting(role)
    if (clock.now() < role.worksUntil) {
      if (role.underWay.size < MOST_AT_ONCE) return askAmongOthers(role, key)
      await Promise.race(role.underWay)
      return session(key)
    }
    if (role.probe) {
      await role.probe
      return session(key)
    }
    role.probe = probe(role, key).finally(() => {
      role.probe = undefined
    })
    return role.probe
  }

  return {
    assume: session,
    check(key) {
      const role = roleOf(key)
      throwWhileResting(role)
      // nobody should queue up for what is likely to fail
      if (role.failure && role.probe) throw asError(role.failure, LOOK_AGAIN_MS)
    },
  }
}
