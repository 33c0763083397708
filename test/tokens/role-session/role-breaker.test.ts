import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../../src/errors.ts'
import { createBackgroundTasks } from '../../../src/lib/background-tasks.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { canonicalJson } from '../../../src/lib/json.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { Store } from '../../../src/store/store.ts'
import { createRoleBreaker } from '../../../src/tokens/role-session/role-breaker.ts'
import type { RoleAssumer } from '../../../src/tokens/role-session/session-provider.ts'
import type { RoleSession } from '../../../src/tokens/token.ts'
import { type TokenKey, tokenKey } from '../../../src/tokens/token-key.ts'
import { settle, type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { ORDERS } from '../../support/databases/orders.ts'
import { rememberingLog } from '../../support/service/log.ts'

const KEY = tokenKey({ database: ORDERS, user: 'migrator' })
const GONE = new JetonError('temporarily_unavailable', {
  publicMessage: 'AWS STS cannot be reached',
  reason: 'STS did not answer: TimeoutError',
  retryAfterMs: 5000,
})
const DENIED = new JetonError('role_refused', {
  publicMessage: 'AWS refuses the role',
  reason: 'AccessDenied',
})

let clock: VirtualClock
let log: ReturnType<typeof rememberingLog>
let store: Store & { reads: number; swaps: number; down: boolean }
/** What STS does, and what it was asked. */
let sts: {
  fails: unknown
  delayMs: number
  asked: number[]
  failed: number
  under: number
  mostUnder: number
}
let random: () => number

beforeEach(() => {
  clock = virtualClock()
  log = rememberingLog()
  store = counting(createMemoryStore(clock))
  sts = { fails: undefined, delayMs: 100, asked: [], failed: 0, under: 0, mostUnder: 0 }
  random = () => 0.5
})

function counting(inner: Store): typeof store {
  const wall = () => {
    if (outer.down) throw new JetonError('temporarily_unavailable', { publicMessage: 'no', reason: 'gone' })
  }
  const outer = {
    reads: 0,
    swaps: 0,
    down: false,
    async read(key: string) {
      outer.reads++
      wall()
      return inner.read(key)
    },
    async compareAndSwap(change: Parameters<Store['compareAndSwap']>[0]) {
      outer.swaps++
      wall()
      return inner.compareAndSwap(change)
    },
  }
  return outer
}

async function askSts(key: TokenKey): Promise<RoleSession> {
  sts.asked.push(clock.now())
  sts.mostUnder = Math.max(sts.mostUnder, ++sts.under)
  await clock.sleepUntil(clock.now() + sts.delayMs)
  sts.under--
  if (sts.fails) {
    sts.failed++
    throw sts.fails
  }
  const secrets = { accessKeyId: 'ASIA1', secretAccessKey: 's', sessionToken: 't' }
  return { ...secrets, expiresAt: clock.now() + 3_600_000, identity: key.sessionName }
}

function instance(assume = askSts): RoleAssumer {
  const parts = { store, backgroundTasks: createBackgroundTasks(), clock, log, random: () => random() }
  return createRoleBreaker(assume, parts)
}

const principal = (n: number) =>
  tokenKey({ database: ORDERS, user: 'app_ro', principal: { issuer: 'github', subject: `job-${n}` } })

/** Runs until the promise has ended, as far as `withinMs` suffices, and gives what it ended in. */
async function outcome<T>(work: Promise<T>, withinMs = sts.delayMs): Promise<T | JetonError> {
  const ended = work.catch((cause: unknown) => cause as JetonError)
  await clock.advance(withinMs)
  return ended
}

async function fail(roles: RoleAssumer, withinMs?: number): Promise<JetonError> {
  return (await outcome(roles.assume(KEY), withinMs)) as JetonError
}

/** What `check` throws. */
function refusal(roles: RoleAssumer, key = KEY): JetonError | undefined {
  try {
    roles.check(key)
    return undefined
  } catch (cause) {
    return cause as JetonError
  }
}

describe('a role that works', () => {
  test('costs the store one read in each process, and nothing more', async () => {
    const roles = instance()
    for (let i = 0; i < 5; i++) await outcome(roles.assume(principal(i)))
    expect(sts.asked).toHaveLength(5)
    expect([store.reads, store.swaps]).toEqual([1, 0])
  })

  test('is asked by one first, then by eight at once', async () => {
    const roles = instance()
    const all = Promise.all(Array.from({ length: 50 }, (_, i) => roles.assume(principal(i))))
    await settle()
    expect(sts.under).toBe(1)
    await clock.advance(1000)
    expect(sts.mostUnder).toBe(8)
    expect((await all).map(({ identity }) => identity)).toEqual(
      Array.from({ length: 50 }, (_, i) => principal(i).sessionName),
    )
  })

  test('and breaks costs no more than was under way, and counts as one failure', async () => {
    const roles = instance()
    await outcome(roles.assume(KEY))
    sts.fails = GONE
    const all = Array.from({ length: 10_000 }, (_, i) => roles.assume(principal(i)).catch(cause => cause))
    await clock.advance(100)
    for (const failure of await Promise.all(all)) expect(failure.retryAfterMs).toBe(1000)
    expect(sts.failed).toBe(8)
    expect(refusal(roles)?.retryAfterMs).toBe(1000)
  })

  test('is not taken to fail for a bug of ours', async () => {
    const bug = new TypeError('a bug')
    const roles = instance(async () => {
      throw bug
    })
    await expect(roles.assume(KEY)).rejects.toBe(bug)
    expect(refusal(roles)).toBeUndefined()
    expect(store.swaps).toBe(0)
  })
})

describe('a broken role', () => {
  beforeEach(() => {
    sts.fails = GONE
  })

  test('costs one failed AssumeRole at a time, however many principals ask', async () => {
    const roles = instance()
    const all = Promise.all(
      Array.from({ length: 10_000 }, (_, i) => roles.assume(principal(i)).catch(cause => cause.code)),
    )
    await clock.advance(100)
    expect(new Set(await all)).toEqual(new Set(['temporarily_unavailable']))
    expect(sts.failed).toBe(1)
  })

  test('is asked by one of three instances at a time, once each has found out, ever more rarely', async () => {
    random = Math.random
    const instances = [instance(), instance(), instance()]
    const codes = new Set<string>()
    await askAllTheTime(instances, { forMs: 1500, each: code => codes.add(code) })
    expect(sts.failed).toBeLessThanOrEqual(4)
    sts.asked.length = 0
    sts.mostUnder = 0
    await askAllTheTime(instances, { forMs: 120_000, each: code => codes.add(code) })
    expect(codes).toEqual(new Set(['temporarily_unavailable']))
    expect(sts.mostUnder).toBe(1)
    expect(sts.asked.length).toBeGreaterThanOrEqual(5)
    expect(sts.asked.length).toBeLessThanOrEqual(11)
  })

  test('is refused at once while it rests, with what is left to wait, and asks nobody', async () => {
    const roles = instance()
    expect(await fail(roles)).toMatchObject({ code: 'temporarily_unavailable', retryAfterMs: 1000 })
    await clock.advance(400)
    const { reads, swaps } = store
    const remembered = { code: GONE.code, reason: GONE.reason, publicMessage: GONE.publicMessage }
    expect(refusal(roles, principal(1))).toMatchObject({ ...remembered, retryAfterMs: 600 })
    expect(await fail(roles, 0)).toMatchObject({ ...remembered, retryAfterMs: 600 })
    expect([store.reads, store.swaps, sts.asked.length]).toEqual([reads, swaps, 1])
  })

  test('is refused at once while one asks again, so that nobody queues up behind', async () => {
    const roles = instance()
    await fail(roles)
    await clock.advance(1000)
    expect(refusal(roles)).toBeUndefined()
    const probe = roles.assume(KEY).catch(cause => cause)
    expect(refusal(roles)?.retryAfterMs).toBe(1000)
    await clock.advance(100)
    await probe
  })

  test('rests 1 s, twice as long each time, and 25 s at most', async () => {
    expect(await restsInARow(7)).toEqual([1000, 2000, 4000, 8000, 16_000, 25_000, 25_000])
  })

  test.each([
    [0, [800, 1600, 3200, 6400, 12_800, 20_000]],
    [1, [1200, 2400, 4800, 9600, 19_200, 30_000]],
  ])('rests a fifth less or more as chance (%i) has it', async (chance, rests) => {
    random = () => chance
    expect(await restsInARow(6)).toEqual(rests)
  })

  test('that AWS refuses is role_refused, without Retry-After, and is asked again all the same', async () => {
    sts.fails = DENIED
    const roles = instance()
    expect(await fail(roles)).toMatchObject({ code: 'role_refused', retryAfterMs: undefined })
    expect(refusal(roles)).toMatchObject({ code: 'role_refused', reason: 'AccessDenied' })
    expect(refusal(roles)).toHaveProperty('retryAfterMs', undefined)
    sts.fails = undefined
    await clock.advance(1000)
    expect(await outcome(roles.assume(KEY))).toHaveProperty('identity')
  })

  test('does not concern other roles, nor the same role with another external id', async () => {
    const roles = instance()
    await fail(roles)
    sts.fails = undefined
    const database = { ...ORDERS, externalId: 'mended' }
    const mended = tokenKey({ database, user: 'migrator' })
    expect(refusal(roles, mended)).toBeUndefined()
    expect(await outcome(roles.assume(mended))).toHaveProperty('identity')
    const other = tokenKey({ database: { ...ORDERS, roleArn: `${ORDERS.roleArn}-2` }, user: 'migrator' })
    expect(await outcome(roles.assume(other))).toHaveProperty('identity')
    expect(refusal(roles)).toBeDefined()
  })

  test('is known to an instance that has just started', async () => {
    await fail(instance())
    const started = instance()
    expect(await fail(started, 0)).toMatchObject({ reason: GONE.reason, retryAfterMs: 1000 })
    expect(refusal(started)).toBeDefined()
    expect(sts.asked).toHaveLength(1)
  })

  test('is told to the others though its record has changed since it was read', async () => {
    sts.fails = undefined
    const [steady, other] = [instance(), instance()]
    for (const roles of [steady, other]) await outcome(roles.assume(KEY))
    sts.fails = GONE
    await fail(other)
    await clock.advance(1000)
    sts.fails = undefined
    await outcome(other.assume(KEY))
    sts.fails = GONE
    await fail(steady)
    const { length } = sts.asked
    expect(await fail(instance(), 0)).toMatchObject({ retryAfterMs: 1000 })
    expect(sts.asked).toHaveLength(length)
  })

  test('is left to who asks already, whatever others find out meanwhile', async () => {
    sts.fails = undefined
    const [asking, other, third] = [instance(), instance(), instance()]
    await outcome(other.assume(KEY))
    sts.fails = GONE
    await fail(asking)
    await clock.advance(1000)
    sts.delayMs = 8000
    const probe = asking.assume(KEY).catch(cause => cause)
    await settle()
    sts.delayMs = 100
    await fail(other)
    await clock.advance(2000)
    expect(await fail(third, 0)).toMatchObject({ code: 'temporarily_unavailable' })
    expect(sts.under).toBe(1)
    await clock.advance(6000)
    expect(await probe).toMatchObject({ retryAfterMs: 2000 })
  })
})

describe('recovery', () => {
  test('needs one question, and all instances go on', async () => {
    sts.fails = GONE
    const [one, other] = [instance(), instance()]
    await fail(one)
    await fail(other, 0)
    await clock.advance(1000)
    sts.fails = undefined
    expect(await outcome(one.assume(KEY))).toHaveProperty('identity')
    expect(await outcome(other.assume(KEY))).toHaveProperty('identity')
    expect(log.lines.map(({ fields }) => fields.event)).toContain('role_recovered')
    expect(refusal(one) ?? refusal(other)).toBeUndefined()
    const { swaps } = store
    await outcome(other.assume(KEY))
    expect(store.swaps).toBe(swaps)
  })

  test('begins with short rests again', async () => {
    await restsInARow(4)
    const roles = instance()
    sts.fails = undefined
    await clock.advance(30_000)
    await outcome(roles.assume(KEY))
    sts.fails = GONE
    expect((await fail(roles)).retryAfterMs).toBe(1000)
  })

  test('is not concluded from an answer to what was asked before the failure', async () => {
    const roles = instance()
    await outcome(roles.assume(KEY))
    sts.delayMs = 500
    const slow = roles.assume(principal(1))
    await settle()
    sts.delayMs = 100
    sts.fails = GONE
    await fail(roles)
    sts.fails = undefined
    await clock.advance(400)
    expect(await slow).toHaveProperty('identity')
    expect(refusal(roles)).toBeDefined()
  })
})

describe('an instance that dies while it asks', () => {
  test('holds up the others for no more than 12 s', async () => {
    sts.fails = GONE
    const dying = instance(
      (() => {
        let first = true
        return async key => {
          if (!first) return new Promise<never>(() => {})
          first = false
          return askSts(key)
        }
      })(),
    )
    await fail(dying)
    await clock.advance(1000)
    void dying.assume(KEY)
    await settle()
    sts.fails = undefined
    const other = instance()
    expect(await fail(other, 0)).toMatchObject({ retryAfterMs: 1000 })
    await clock.advance(11_000)
    expect(await fail(other, 0)).toMatchObject({ code: 'temporarily_unavailable' })
    await clock.advance(1000)
    expect(await outcome(other.assume(KEY))).toHaveProperty('identity')
  })
})

describe('a store that fails', () => {
  test('leaves each instance with its own memory, which grows, rests and recovers', async () => {
    store.down = true
    sts.fails = GONE
    const roles = instance()
    expect((await fail(roles)).retryAfterMs).toBe(1000)
    await clock.advance(1000)
    expect((await fail(roles)).retryAfterMs).toBe(2000)
    sts.fails = undefined
    await clock.advance(2000)
    expect(await outcome(roles.assume(KEY))).toHaveProperty('identity')
    expect(log.lines).toContainEqual({
      level: 'warn',
      fields: { event: 'role_failure_not_shared', role: ORDERS.roleArn, reason: 'gone' },
      msg: expect.any(String),
    })
  })

  test('that takes nothing any more does not shorten the rests by what it said before', async () => {
    sts.fails = GONE
    const roles = instance()
    await fail(roles)
    await clock.advance(1000)
    sts.fails = undefined
    await outcome(roles.assume(KEY))
    store.compareAndSwap = () =>
      Promise.reject(new JetonError('temporarily_unavailable', { publicMessage: 'no' }))
    sts.fails = GONE
    expect((await fail(roles)).retryAfterMs).toBe(1000)
    await clock.advance(1000)
    expect((await fail(roles)).retryAfterMs).toBe(2000)
  })
})

describe('a record', () => {
  const record = (changed: object) =>
    JSON.stringify({ v: 1, failures: 3, code: 'role_refused', reason: 'r', publicMessage: 'p', ...changed })

  const key = `role/${sha256Hex(canonicalJson({ roleArn: ORDERS.roleArn }))}`

  async function write(text: string) {
    const expectedVersion = (await store.read(key))?.version ?? 'absent'
    await store.compareAndSwap({
      key,
      bytes: Buffer.from(text),
      expectedVersion,
      expiresAt: clock.now() + 3_600_000,
    })
  }

  test('has no more in it than is said, and ends by itself', async () => {
    sts.fails = DENIED
    await fail(instance())
    const until = clock.now() + 1000
    const found = await store.read(key)
    expect(JSON.parse(Buffer.from(found!.bytes).toString())).toEqual({
      v: 1,
      failures: 1,
      until,
      code: 'role_refused',
      reason: 'AccessDenied',
      publicMessage: 'AWS refuses the role',
    })
    await clock.advance(1000 + 5 * 60_000)
    expect(await store.read(key)).toBeUndefined()
  })

  test('in force is believed', async () => {
    await write(record({ until: clock.now() + 40_000 }))
    const roles = instance()
    await clock.advance(15_000)
    expect(await fail(roles, 0)).toMatchObject({ code: 'role_refused', reason: 'r', publicMessage: 'p' })
  })

  test('that a wrong clock put further ahead than any rest binds nobody', async () => {
    await write(record({ until: clock.now() + 10 * 60_000 }))
    expect(await outcome(instance().assume(KEY))).toHaveProperty('identity')
  })

  test.each([
    ['of another release', { v: 2 }],
    ['with no time', { until: null }],
    ['with a code that is none', { code: 'internal_error' }],
    ['with no reason', { reason: 7 }],
    ['with a count that is none', { failures: -1 }],
  ])('%s is as good as none, and is replaced', async (_name, changed) => {
    await write(record({ until: clock.now() + 11_000, ...changed }))
    sts.fails = GONE
    const roles = instance()
    expect((await fail(roles)).retryAfterMs).toBe(1000)
    expect((await fail(instance(), 0)).retryAfterMs).toBe(1000)
  })

  test('of any nonsense never makes it fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async text => {
        store = counting(createMemoryStore(clock))
        await write(text)
        expect(await outcome(instance().assume(KEY))).toHaveProperty('identity')
      }),
      { numRuns: 30 },
    )
  })
})

/** The rests of as many failures in a row, each asked for the moment the last is over. */
async function restsInARow(count: number): Promise<number[]> {
  sts.fails = GONE
  const roles = instance()
  const rests: number[] = []
  for (let i = 0; i < count; i++) {
    const { retryAfterMs = 0 } = await fail(roles)
    rests.push(retryAfterMs)
    await clock.advance(retryAfterMs)
  }
  return rests
}

/** Every 50 ms somebody new asks each of the instances, as `mint` does: what is refused at once never gets to `assume`. */
async function askAllTheTime(
  instances: readonly RoleAssumer[],
  { forMs, each }: { forMs: number; each(code: string): void },
): Promise<void> {
  for (let passed = 0; passed < forMs; passed += 50) {
    for (const roles of instances) {
      const refused = refusal(roles, principal(passed))
      if (refused) each(refused.code)
      else void roles.assume(principal(passed)).catch((cause: JetonError) => each(cause.code))
    }
    await clock.advance(50)
  }
}
