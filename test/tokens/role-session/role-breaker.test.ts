import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../../src/errors.ts'
import { createBackgroundTasks } from '../../../src/lib/background-tasks.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { canonicalJson } from '../../../src/lib/json.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { RecordWrite, Store } from '../../../src/store/store.ts'
import { createRoleBreaker } from '../../../src/tokens/role-session/role-breaker.ts'
import type { RoleAssumer } from '../../../src/tokens/role-session/session-provider.ts'
import { OwnFailure } from '../../../src/tokens/role-session/sts-failure.ts'
import type { RoleSession } from '../../../src/tokens/token.ts'
import { type TokenKey, tokenKey } from '../../../src/tokens/token-key.ts'
import { settle, type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { ORDERS } from '../../support/databases/orders.ts'
import { asEncrypted } from '../../support/service/as-encrypted.ts'
import { createLogRecorder, eventsOf, type LogRecorder } from '../../support/service/log-recorder.ts'

const KEY = tokenKey({ database: ORDERS, user: 'migrator' })
const GONE = new JetonError('temporarily_unavailable', {
  publicMessage: 'AWS STS cannot be reached',
  reason: 'STS returned no session: TimeoutError',
  retryAfterMs: 5000,
})
const DENIED = new JetonError('role_refused', {
  publicMessage: 'AWS refuses the role',
  reason: 'AccessDenied',
})

let clock: VirtualClock
let log: LogRecorder
let store: Store & { reads: number; swaps: number; isDown: boolean }
/** What STS does, when it was called (ms), and how many calls were in flight at once. */
let sts: {
  failure: unknown
  delayMs: number
  calls: number[]
  failed: number
  inFlight: number
  mostInFlight: number
}
let random: () => number

beforeEach(() => {
  clock = virtualClock()
  log = createLogRecorder()
  store = countingStore(createMemoryStore(clock))
  sts = { failure: undefined, delayMs: 100, calls: [], failed: 0, inFlight: 0, mostInFlight: 0 }
  random = () => 0.5
})

function countingStore(inner: Store): typeof store {
  const throwIfDown = () => {
    if (outer.isDown) throw new JetonError('temporarily_unavailable', { publicMessage: 'no', reason: 'gone' })
  }
  const outer = {
    reads: 0,
    swaps: 0,
    isDown: false,
    async read(key: string) {
      outer.reads++
      throwIfDown()
      return inner.read(key)
    },
    async compareAndSwap(change: RecordWrite) {
      outer.swaps++
      throwIfDown()
      return inner.compareAndSwap(change)
    },
  }
  return outer
}

async function callSts(key: TokenKey): Promise<RoleSession> {
  sts.calls.push(clock.now())
  sts.mostInFlight = Math.max(sts.mostInFlight, ++sts.inFlight)
  await clock.sleepUntil(clock.now() + sts.delayMs)
  sts.inFlight--
  if (sts.failure) {
    sts.failed++
    throw sts.failure
  }
  const secrets = { accessKeyId: 'ASIA1', secretAccessKey: 's', sessionToken: 't' }
  return { ...secrets, expiresAt: clock.now() + 3_600_000, identity: key.sessionName }
}

/** The role breaker of one instance. */
function startBreaker(assumeRole = callSts): RoleAssumer {
  const encryptedStore = asEncrypted(store)
  const parts = {
    encryptedStore,
    backgroundTasks: createBackgroundTasks(),
    clock,
    log,
    random: () => random(),
  }
  return createRoleBreaker(assumeRole, parts)
}

/** A key of the same role for principal number `n`. */
const keyOf = (n: number) =>
  tokenKey({ database: ORDERS, user: 'app_ro', principal: { issuer: 'github', subject: `job-${n}` } })

/** Lets `withinMs` pass, and returns what the promise has settled with. */
async function outcome<T>(work: Promise<T>, withinMs = sts.delayMs): Promise<T | JetonError> {
  const settled = work.catch((cause: unknown) => cause as JetonError)
  await clock.advance(withinMs)
  return settled
}

async function fail(breaker: RoleAssumer, withinMs?: number): Promise<JetonError> {
  return (await outcome(breaker.assume(KEY), withinMs)) as JetonError
}

/** What `check` throws. */
function refusal(breaker: RoleAssumer, key = KEY): JetonError | undefined {
  try {
    breaker.check(key)
    return undefined
  } catch (cause) {
    return cause as JetonError
  }
}

describe('a closed breaker', () => {
  test('costs the store one read in each instance, and nothing more', async () => {
    const breaker = startBreaker()
    for (let i = 0; i < 5; i++) await outcome(breaker.assume(keyOf(i)))
    expect(sts.calls).toHaveLength(5)
    expect([store.reads, store.swaps]).toEqual([1, 0])
  })

  test('lets one call through first, then eight at once', async () => {
    const breaker = startBreaker()
    const all = Promise.all(Array.from({ length: 50 }, (_, i) => breaker.assume(keyOf(i))))
    await settle()
    expect(sts.inFlight).toBe(1)
    await clock.advance(1000)
    expect(sts.mostInFlight).toBe(8)
    expect((await all).map(({ identity }) => identity)).toEqual(
      Array.from({ length: 50 }, (_, i) => keyOf(i).sessionName),
    )
  })

  test('opens at the cost of the calls in flight, which count as one failure', async () => {
    const breaker = startBreaker()
    await outcome(breaker.assume(KEY))
    sts.failure = GONE
    const all = Array.from({ length: 10_000 }, (_, i) => breaker.assume(keyOf(i)).catch(cause => cause))
    await clock.advance(100)
    for (const failure of await Promise.all(all)) expect(failure.retryAfterMs).toBe(1000)
    expect(sts.failed).toBe(8)
    expect(refusal(breaker)?.retryAfterMs).toBe(1000)
  })

  test('stays closed after a bug of ours', async () => {
    const bug = new TypeError('a bug')
    const breaker = startBreaker(async () => {
      throw bug
    })
    await expect(breaker.assume(KEY)).rejects.toBe(bug)
    expect(refusal(breaker)).toBeUndefined()
    expect(store.swaps).toBe(0)
  })
})

describe('an open breaker', () => {
  beforeEach(() => {
    sts.failure = GONE
  })

  test('costs one failed AssumeRole at a time, however many callers there are', async () => {
    const breaker = startBreaker()
    const all = Promise.all(
      Array.from({ length: 10_000 }, (_, i) => breaker.assume(keyOf(i)).catch(cause => cause.code)),
    )
    await clock.advance(100)
    expect(new Set(await all)).toEqual(new Set(['temporarily_unavailable']))
    expect(sts.failed).toBe(1)
  })

  test('lets one of three instances probe at a time, ever more rarely, once each has seen a failure', async () => {
    random = Math.random
    const breakers = [startBreaker(), startBreaker(), startBreaker()]
    const codes = new Set<string>()
    await callAllTheTime(breakers, { forMs: 1500, each: code => codes.add(code) })
    expect(sts.failed).toBeLessThanOrEqual(4)
    sts.calls.length = 0
    sts.mostInFlight = 0
    await callAllTheTime(breakers, { forMs: 120_000, each: code => codes.add(code) })
    expect(codes).toEqual(new Set(['temporarily_unavailable']))
    expect(sts.mostInFlight).toBe(1)
    expect(sts.calls.length).toBeGreaterThanOrEqual(5)
    // 120 s with a back-off of 10.4 s at least, and those before it
    expect(sts.calls.length).toBeLessThanOrEqual(15)
  })

  test('refuses callers at once with what is left of the back-off, and calls neither STS nor the store', async () => {
    const breaker = startBreaker()
    expect(await fail(breaker)).toMatchObject({ code: 'temporarily_unavailable', retryAfterMs: 1000 })
    await clock.advance(400)
    const { reads, swaps } = store
    const remembered = { code: GONE.code, reason: GONE.reason, publicMessage: GONE.publicMessage }
    expect(refusal(breaker, keyOf(1))).toMatchObject({ ...remembered, retryAfterMs: 600 })
    expect(await fail(breaker, 0)).toMatchObject({ ...remembered, retryAfterMs: 600 })
    expect([store.reads, store.swaps, sts.calls.length]).toEqual([reads, swaps, 1])
  })

  test('refuses callers at once while one probes, so that nobody waits behind it', async () => {
    const breaker = startBreaker()
    await fail(breaker)
    await clock.advance(1000)
    expect(refusal(breaker)).toBeUndefined()
    const probe = breaker.assume(KEY).catch(cause => cause)
    expect(refusal(breaker)?.retryAfterMs).toBe(1000)
    await clock.advance(100)
    await probe
  })

  test('backs off for 1 s, twice as long each time, and 13 s at most', async () => {
    expect(await backoffsInARow(6)).toEqual([1000, 2000, 4000, 8000, 13_000, 13_000])
  })

  test.each([
    [0, [800, 1600, 3200, 6400, 10_400]],
    [1, [1200, 2400, 4800, 9600, 15_600]],
  ])('backs off for up to a fifth less or more (random %i)', async (chance, backoffs) => {
    random = () => chance
    expect(await backoffsInARow(5)).toEqual(backoffs)
  })

  test('of a role that AWS refuses says role_refused without Retry-After, and probes all the same', async () => {
    sts.failure = DENIED
    const breaker = startBreaker()
    expect(await fail(breaker)).toMatchObject({ code: 'role_refused', retryAfterMs: undefined })
    expect(refusal(breaker)).toMatchObject({ code: 'role_refused', reason: 'AccessDenied' })
    expect(refusal(breaker)).toHaveProperty('retryAfterMs', undefined)
    sts.failure = undefined
    await clock.advance(1000)
    expect(await outcome(breaker.assume(KEY))).toHaveProperty('identity')
  })

  test('concerns no other role, nor the same role with another external id', async () => {
    const breaker = startBreaker()
    await fail(breaker)
    sts.failure = undefined
    const database = { ...ORDERS, externalId: 'mended' }
    const mended = tokenKey({ database, user: 'migrator' })
    expect(refusal(breaker, mended)).toBeUndefined()
    expect(await outcome(breaker.assume(mended))).toHaveProperty('identity')
    const other = tokenKey({ database: { ...ORDERS, roleArn: `${ORDERS.roleArn}-2` }, user: 'migrator' })
    expect(await outcome(breaker.assume(other))).toHaveProperty('identity')
    expect(refusal(breaker)).toBeDefined()
  })

  test('is open for an instance that has just started too', async () => {
    await fail(startBreaker())
    const started = startBreaker()
    expect(await fail(started, 0)).toMatchObject({
      reason: expect.stringContaining(`no session of ${ORDERS.roleArn}: another instance met the failure`),
      retryAfterMs: 1000,
    })
    expect(refusal(started)).toBeDefined()
    expect(sts.calls).toHaveLength(1)
  })

  test('is published though the record has changed since it was read', async () => {
    sts.failure = undefined
    const [one, other] = [startBreaker(), startBreaker()]
    for (const breaker of [one, other]) await outcome(breaker.assume(KEY))
    sts.failure = GONE
    await fail(other)
    await clock.advance(1000)
    sts.failure = undefined
    await outcome(other.assume(KEY))
    sts.failure = GONE
    await fail(one)
    const { length } = sts.calls
    expect(await fail(startBreaker(), 0)).toMatchObject({ retryAfterMs: 1000 })
    expect(sts.calls).toHaveLength(length)
  })

  test('leaves the probe to the instance that has it, whatever others find out meanwhile', async () => {
    sts.failure = undefined
    const [probing, other, third] = [startBreaker(), startBreaker(), startBreaker()]
    await outcome(other.assume(KEY))
    sts.failure = GONE
    await fail(probing)
    await clock.advance(1000)
    sts.delayMs = 8000
    const probe = probing.assume(KEY).catch(cause => cause)
    await settle()
    sts.delayMs = 100
    await fail(other)
    await clock.advance(2000)
    expect(await fail(third, 0)).toMatchObject({ code: 'temporarily_unavailable' })
    expect(sts.inFlight).toBe(1)
    await clock.advance(6000)
    expect(await probe).toMatchObject({ retryAfterMs: 2000 })
  })
})

describe('a slow STS', () => {
  test('that takes 9 s for each reply is no failure: nothing opens, nothing is published', async () => {
    sts.delayMs = 9000
    const [one, other] = [startBreaker(), startBreaker()]
    for (const breaker of [one, other, one])
      expect(await outcome(breaker.assume(KEY))).toHaveProperty('identity')
    expect(store.swaps).toBe(0)
    expect(refusal(one) ?? refusal(other)).toBeUndefined()
    expect(eventsOf(log)).toEqual([])
  })

  test('closes an open breaker for all instances, though its probe takes 12 s', async () => {
    const [one, other] = [startBreaker(), startBreaker()]
    sts.failure = GONE
    await fail(one)
    await fail(other, 0)
    await clock.advance(1000)
    sts.failure = undefined
    sts.delayMs = 12_000
    const probe = one.assume(KEY)
    await clock.advance(11_000)
    // the other leaves the probe to it
    expect(await fail(other, 0)).toMatchObject({ code: 'temporarily_unavailable' })
    expect(sts.inFlight).toBe(1)
    expect(await outcome(probe, 1000)).toHaveProperty('identity')
    await clock.advance(1000)
    expect(await outcome(other.assume(KEY))).toHaveProperty('identity')
  })

  test('then dead: opens the breaker when it answers no more, and not before', async () => {
    const breaker = startBreaker()
    sts.delayMs = 9000
    await outcome(breaker.assume(KEY))
    sts.delayMs = 12_000
    sts.failure = GONE
    const last = breaker.assume(KEY).catch(cause => cause)
    await clock.advance(11_999)
    expect(refusal(breaker)).toBeUndefined()
    await clock.advance(1)
    expect(await last).toMatchObject({ code: 'temporarily_unavailable', retryAfterMs: 1000 })
    expect(refusal(breaker)).toBeDefined()
  })

  test('calls for nobody whose caller has waited for a place for 5 s and gone', async () => {
    const breaker = startBreaker()
    await outcome(breaker.assume(KEY))
    sts.delayMs = 4000
    const all = Array.from({ length: 30 }, (_, i) => breaker.assume(keyOf(i)).catch(cause => cause))
    await clock.advance(12_000)
    const codes = (await Promise.all(all)).map(({ code = 'session' }) => code)
    // eight at once, eight after 4 s, eight after 8 s would come too late
    expect(codes.filter(code => code === 'session')).toHaveLength(16)
    expect(new Set(codes)).toEqual(new Set(['session', 'temporarily_unavailable']))
    expect(sts.calls).toHaveLength(17)
    // it says nothing about the role
    expect(refusal(breaker)).toBeUndefined()
    expect(await outcome(breaker.assume(KEY))).toHaveProperty('identity')
  })
})

describe('a failure of what one instance runs with', () => {
  const OWN = new OwnFailure('temporarily_unavailable', {
    publicMessage: 'credentials',
    reason: 'InvalidClientTokenId',
    retryAfterMs: 5000,
  })

  test('opens its own breaker, and tells the others nothing', async () => {
    const broken = startBreaker(async key => {
      await callSts(key)
      throw OWN
    })
    const other = startBreaker()
    for (const backoffMs of [1000, 2000, 4000]) {
      expect(await fail(broken)).toMatchObject({ retryAfterMs: backoffMs, reason: 'InvalidClientTokenId' })
      expect(refusal(broken)).toBeDefined()
      expect(await outcome(other.assume(KEY))).toHaveProperty('identity')
      await clock.advance(backoffMs)
    }
    expect(store.swaps).toBe(0)
  })

  test('is told to nobody else either if AWS refuses the role because of it', async () => {
    const refused = startBreaker(async () => {
      throw new OwnFailure('role_refused', { publicMessage: 'refused', reason: 'sts:TagSession' })
    })
    const other = startBreaker()
    expect(await fail(refused)).toMatchObject({ code: 'role_refused', retryAfterMs: undefined })
    expect(refusal(refused)).toMatchObject({ code: 'role_refused', reason: 'sts:TagSession' })
    expect(await outcome(other.assume(KEY))).toHaveProperty('identity')
    expect(store.swaps).toBe(0)
  })

  test('ends with the first call that succeeds, without a word to the others', async () => {
    let isBroken = true
    const breaker = startBreaker(async key => {
      if (isBroken) throw OWN
      return callSts(key)
    })
    await fail(breaker)
    isBroken = false
    await clock.advance(1000)
    expect(await outcome(breaker.assume(KEY))).toHaveProperty('identity')
    expect(eventsOf(log)).toContain('role_recovered')
    expect(store.swaps).toBe(0)
  })

  test('does not hide what the fleet knows of the role', async () => {
    const broken = startBreaker(async () => {
      throw OWN
    })
    const other = startBreaker()
    sts.failure = DENIED
    await fail(other)
    await clock.advance(1000)
    // its probe is the fleet's, so the fleet learns how it ended
    await fail(broken)
    expect(await fail(startBreaker(), 0)).toMatchObject({ code: 'temporarily_unavailable' })
  })
})

describe('recovery', () => {
  test('needs one probe, and then all instances assume the role', async () => {
    sts.failure = GONE
    const [one, other] = [startBreaker(), startBreaker()]
    await fail(one)
    await fail(other, 0)
    await clock.advance(1000)
    sts.failure = undefined
    expect(await outcome(one.assume(KEY))).toHaveProperty('identity')
    expect(await outcome(other.assume(KEY))).toHaveProperty('identity')
    expect(eventsOf(log)).toContain('role_recovered')
    expect(refusal(one) ?? refusal(other)).toBeUndefined()
    const { swaps } = store
    await outcome(other.assume(KEY))
    expect(store.swaps).toBe(swaps)
  })

  test('makes the next back-off short again', async () => {
    await backoffsInARow(4)
    const breaker = startBreaker()
    sts.failure = undefined
    await clock.advance(30_000)
    await outcome(breaker.assume(KEY))
    sts.failure = GONE
    expect((await fail(breaker)).retryAfterMs).toBe(1000)
  })

  test('is not concluded from a call that began before the failure', async () => {
    const breaker = startBreaker()
    await outcome(breaker.assume(KEY))
    sts.delayMs = 500
    const slow = breaker.assume(keyOf(1))
    await settle()
    sts.delayMs = 100
    sts.failure = GONE
    await fail(breaker)
    sts.failure = undefined
    await clock.advance(400)
    expect(await slow).toHaveProperty('identity')
    expect(refusal(breaker)).toBeDefined()
  })
})

describe('an instance that dies while it probes', () => {
  test('holds up the others for no more than 15 s', async () => {
    sts.failure = GONE
    let isDead = false
    const dying = startBreaker(key => (isDead ? new Promise<never>(() => {}) : callSts(key)))
    await fail(dying)
    await clock.advance(1000)
    isDead = true
    void dying.assume(KEY)
    await settle()
    sts.failure = undefined
    const other = startBreaker()
    expect(await fail(other, 0)).toMatchObject({ retryAfterMs: 1000 })
    await clock.advance(14_000)
    expect(await fail(other, 0)).toMatchObject({ code: 'temporarily_unavailable' })
    await clock.advance(1000)
    expect(await outcome(other.assume(KEY))).toHaveProperty('identity')
  })
})

describe('a store that fails', () => {
  test('leaves each instance to back off, grow the back-off and recover by itself', async () => {
    store.isDown = true
    sts.failure = GONE
    const breaker = startBreaker()
    expect((await fail(breaker)).retryAfterMs).toBe(1000)
    await clock.advance(1000)
    expect((await fail(breaker)).retryAfterMs).toBe(2000)
    sts.failure = undefined
    await clock.advance(2000)
    expect(await outcome(breaker.assume(KEY))).toHaveProperty('identity')
    expect(log.lines).toContainEqual({
      level: 'warn',
      fields: { event: 'role_failure_not_shared', role: ORDERS.roleArn, reason: 'gone' },
      msg: expect.any(String),
    })
  })

  test('and takes no more writes does not shorten back-offs by what it said before', async () => {
    sts.failure = GONE
    const breaker = startBreaker()
    await fail(breaker)
    await clock.advance(1000)
    sts.failure = undefined
    await outcome(breaker.assume(KEY))
    store.compareAndSwap = () =>
      Promise.reject(new JetonError('temporarily_unavailable', { publicMessage: 'no' }))
    sts.failure = GONE
    expect((await fail(breaker)).retryAfterMs).toBe(1000)
    await clock.advance(1000)
    expect((await fail(breaker)).retryAfterMs).toBe(2000)
  })
})

describe('a record', () => {
  const record = (changed: object) => JSON.stringify({ v: 1, failures: 3, code: 'role_refused', ...changed })

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

  test('lies under a key that every release computes alike', async () => {
    sts.failure = GONE
    await fail(startBreaker())
    expect(key).toBe('role/fc777ca91ac383911a6ef304f32f3e02870cccb29534b3bbae3751bd6078bc49')
    expect(await store.read(key)).toBeDefined()
  })

  test('whose back-off is in force is believed', async () => {
    await write(record({ until: clock.now() + 16_000 }))
    const breaker = startBreaker()
    expect(await fail(breaker, 0)).toMatchObject({
      code: 'role_refused',
      publicMessage: 'AWS refuses the role of this database; the operator of jeton must act',
      reason: expect.stringContaining(`STS refuses ${ORDERS.roleArn}`),
    })
    await clock.advance(16_000)
    expect(await outcome(breaker.assume(KEY))).toHaveProperty('identity')
  })

  test('that anybody wrote, however late it is met, keeps a role from being assumed for 16 s at most', async () => {
    await write(record({ until: clock.now() + 20_000, failures: 10 }))
    expect(await outcome(startBreaker().assume(KEY))).toHaveProperty('identity')
    await clock.advance(10_000)
    // the first instance that met it has replaced it
    expect(await outcome(startBreaker().assume(KEY))).toHaveProperty('identity')
  })

  test('that a wrong clock put further ahead than any back-off binds nobody', async () => {
    await write(record({ until: clock.now() + 10 * 60_000 }))
    expect(await outcome(startBreaker().assume(KEY))).toHaveProperty('identity')
  })

  test.each([
    ['of another release', { v: 2 }],
    ['with no time', { until: null }],
  ])('%s counts as none, and is replaced', async (_name, changed) => {
    await write(record({ until: clock.now() + 11_000, ...changed }))
    sts.failure = GONE
    const breaker = startBreaker()
    expect((await fail(breaker)).retryAfterMs).toBe(1000)
    expect((await fail(startBreaker(), 0)).retryAfterMs).toBe(1000)
  })
})

/** The back-offs after as many failures in a row, each probe sent the moment the last back-off is over. */
async function backoffsInARow(count: number): Promise<number[]> {
  sts.failure = GONE
  const breaker = startBreaker()
  const backoffs: number[] = []
  for (let i = 0; i < count; i++) {
    const { retryAfterMs = 0 } = await fail(breaker)
    backoffs.push(retryAfterMs)
    await clock.advance(retryAfterMs)
  }
  return backoffs
}

/** Every 50 ms each instance has a new caller that does as `mint` does: `assume` only if `check` does not throw. */
async function callAllTheTime(
  breakers: readonly RoleAssumer[],
  { forMs, each }: { forMs: number; each(code: string): void },
): Promise<void> {
  for (let passed = 0; passed < forMs; passed += 50) {
    for (const breaker of breakers) {
      const refused = refusal(breaker, keyOf(passed))
      if (refused) each(refused.code)
      else void breaker.assume(keyOf(passed)).catch((cause: JetonError) => each(cause.code))
    }
    await clock.advance(50)
  }
}
