import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createRateLimiter } from '../../src/tokens/rate-limit/rate-limiter.ts'
import type { AssumeRole } from '../../src/tokens/role-session/assume-role.ts'
import { signToken } from '../../src/tokens/sign.ts'
import type { RoleSession } from '../../src/tokens/token.ts'
import { createTokenCache, type TokenCache, type TokenDelivery } from '../../src/tokens/token-cache.ts'
import { type TokenKey, tokenKey } from '../../src/tokens/token-key.ts'
import { settle, type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { rememberingLog } from '../support/service/log.ts'

const MINUTE = 60_000
const KEY = tokenKey({ database: ORDERS, user: 'migrator' })
const UNREACHABLE = new JetonError('temporarily_unavailable', { publicMessage: 'STS is gone' })
const REFUSED = new JetonError('role_refused', { publicMessage: 'no' })

let clock: VirtualClock
let log: ReturnType<typeof rememberingLog>
let tokenCache: TokenCache
/** What STS does next. */
let sts: { lifeMs: number; delayMs: number; fails: JetonError | undefined }
let assumed: TokenKey[]
let signed: number

beforeEach(() => {
  clock = virtualClock()
  log = rememberingLog()
  sts = { lifeMs: 60 * MINUTE, delayMs: 0, fails: undefined }
  assumed = []
  signed = 0
  const store = createMemoryStore(clock)
  tokenCache = createTokenCache({
    clock,
    log,
    encryptedStore: store,
    backgroundTasks: createBackgroundTasks(),
    random: () => 0.5,
    rateLimiter: createRateLimiter({ store, clock }),
    roles: rolesOf(async (key): Promise<RoleSession> => {
      assumed.push(key)
      const n = assumed.length
      if (sts.delayMs > 0) await clock.sleepUntil(clock.now() + sts.delayMs)
      if (sts.fails) throw sts.fails
      const expiresAt = clock.now() + sts.lifeMs
      return {
        accessKeyId: `ASIA${n}`,
        secretAccessKey: `s${n}`,
        sessionToken: `t${n}`,
        expiresAt,
        identity: key.sessionName,
      }
    }),
    sign(key, what) {
      signed++
      return signToken(key, what)
    },
  })
})

/** Roles that forget every failure at once. */
const rolesOf = (assume: AssumeRole) => ({ assume, check() {} })

/** Asks, hands out, and lets as much time go by as that takes. */
async function get(refused?: string, key = KEY): Promise<TokenDelivery> {
  const asked = tokenCache.get(key, { rejectedFingerprint: refused })
  asked.catch(() => {})
  await clock.advance(0)
  const held = await asked
  await held.deliver()
  return held
}

describe('one token', () => {
  test('for everyone with the same key, minted once however many ask at once', async () => {
    const all = await Promise.all(Array.from({ length: 600 }, () => tokenCache.get(KEY, {})))
    expect(new Set(all.map(({ token }) => token.text)).size).toBe(1)
    expect(all.filter(({ cached }) => !cached)).toHaveLength(1)
    expect([assumed.length, signed]).toEqual([1, 1])
  })

  test('for each key: another user, endpoint, role or principal is another', async () => {
    const others = [
      tokenKey({ database: ORDERS, user: 'app_ro' }),
      tokenKey({ database: { ...ORDERS, port: 5433 }, user: 'migrator' }),
      tokenKey({ database: { ...ORDERS, roleArn: `${ORDERS.roleArn}2` }, user: 'migrator' }),
      tokenKey({ database: { ...ORDERS, externalId: 'x' }, user: 'migrator' }),
      tokenKey({ database: ORDERS, user: 'migrator', principal: { issuer: 'github', subject: 'a' } }),
      tokenKey({ database: ORDERS, user: 'migrator', principal: { issuer: 'gitlab', subject: 'a' } }),
    ]
    expect(new Set([KEY, ...others].map(({ id }) => id)).size).toBe(7)
  })

  test('until refreshAfter, and from the cache', async () => {
    const first = await get()
    await clock.advance(9 * MINUTE - 1)
    const later = await get()
    expect([first.cached, later.cached]).toEqual([false, true])
    expect(later.token).toBe(first.token)
  })
})

describe('renewal', () => {
  test('is done by one request from refreshAfter on, while all others go on with the old token', async () => {
    const old = await get()
    await clock.advance(9 * MINUTE)
    const asked = Array.from({ length: 50 }, () => tokenCache.get(KEY, {}))
    await clock.advance(0)
    const answers = await Promise.all(asked)
    const renewed = answers.filter(({ cached }) => !cached)
    expect(renewed).toHaveLength(1)
    expect(answers.filter(({ token }) => token === old.token)).toHaveLength(49)
    expect((await get()).token).toBe(renewed[0]?.token)
    expect([assumed.length, signed]).toEqual([1, 2])
  })

  test('never makes anyone wait for STS: the session is renewed beside, the old token served meanwhile', async () => {
    const first = await get()
    for (let minutes = 0; minutes < 44; minutes += 4) {
      await clock.advance(4 * MINUTE)
      await get()
    }
    expect(assumed).toHaveLength(1)
    await clock.advance(1.5 * MINUTE)
    sts.delayMs = 3000
    const during = await Promise.all(Array.from({ length: 20 }, () => get()))
    expect(during.every(({ cached }) => cached)).toBe(true)
    expect(assumed).toHaveLength(2)
    await clock.advance(3000)
    const after = await get()
    expect([after.cached, assumed.length]).toEqual([false, 2])
    expect(after.token.issuedAt).toBeGreaterThan(first.token.issuedAt)
  })

  test('that fails leaves the old token in use until it can be vended no more, then tells the caller', async () => {
    const old = await get()
    sts.lifeMs = 0
    await clock.advance(9 * MINUTE)
    sts.fails = UNREACHABLE
    // a session fit to sign with is at hand: the outage is not even noticed
    const renewed = await get()
    expect(renewed.token.issuedAt).toBeGreaterThan(old.token.issuedAt)
  })

  test('in an outage of STS, tokens are served as long as they last, and recovery needs no restart', async () => {
    sts.lifeMs = 20 * MINUTE
    await get()
    sts.fails = UNREACHABLE
    await clock.advance(9 * MINUTE)
    // 11 minutes are left of the session: it is not renewed, but still signs, and expiresAt says the truth
    expect((await get()).cached).toBe(true)
    await clock.advance(1.5 * MINUTE)
    const short = await get()
    expect([short.cached, short.token.expiresAt - clock.now()]).toEqual([false, 9.5 * MINUTE])
    await clock.advance(4.5 * MINUTE)
    await expect(get()).rejects.toBe(UNREACHABLE)
    sts.fails = undefined
    expect((await get()).cached).toBe(false)
  })

  test('a role that AWS refuses from now on is not signed for with an old session', async () => {
    sts.lifeMs = 20 * MINUTE
    await get()
    sts.fails = REFUSED
    await clock.advance(11 * MINUTE)
    await expect(get()).rejects.toBe(REFUSED)
  })

  test('failing is logged without secrets and not tried again for 10 s', async () => {
    sts.lifeMs = 20 * MINUTE
    await get()
    sts.fails = UNREACHABLE
    await clock.advance(9 * MINUTE)
    await get()
    await get()
    expect(assumed).toHaveLength(2)
    await clock.advance(10_000)
    await get()
    expect(assumed).toHaveLength(3)
    expect(log.lines.map(({ fields }) => fields.event)).toContain('renewal_failed')
  })
})

describe('a role session', () => {
  test('with less than 15 minutes is renewed before it signs', async () => {
    await get()
    await clock.advance(46 * MINUTE)
    const { token } = await get()
    expect(assumed).toHaveLength(2)
    expect(token.expiresAt - token.issuedAt).toBe(15 * MINUTE)
  })

  test('that STS gives no longer is signed with, and expiresAt says the truth', async () => {
    sts.lifeMs = 8 * MINUTE
    const { token } = await get()
    expect(token.expiresAt).toBe(clock.now() + 8 * MINUTE)
    expect(token.refreshAfter).toBe(clock.now() + 2 * MINUTE)
  })

  test('under 5 minutes vends nothing', async () => {
    sts.lifeMs = 5 * MINUTE
    await expect(get()).rejects.toMatchObject({ code: 'temporarily_unavailable' })
  })

  test('that is refused is refused to all who wait, once', async () => {
    sts.fails = REFUSED
    const asked = Array.from({ length: 100 }, () => tokenCache.get(KEY, {}))
    const outcomes = await Promise.allSettled(asked)
    expect(outcomes.every(outcome => outcome.status === 'rejected' && outcome.reason === REFUSED)).toBe(true)
    expect(assumed).toHaveLength(1)
  })
})

describe('a token that the database refused', () => {
  test('is replaced, once, however many report it', async () => {
    const { token } = await get()
    await clock.advance(10_000)
    const asked = Array.from({ length: 1000 }, () =>
      tokenCache.get(KEY, { rejectedFingerprint: token.fingerprint }),
    )
    await clock.advance(0)
    const answers = await Promise.all(asked)
    expect(new Set(answers.map(answer => answer.token.text)).size).toBe(1)
    expect(answers[0]?.token.text).not.toBe(token.text)
    expect([assumed.length, signed]).toEqual([1, 2])
    await clock.advance(10_000)
    expect((await get(token.fingerprint)).token).toBe(answers[0]?.token)
    expect(signed).toBe(2)
  })

  test('and whose successor is refused too, with a new role session', async () => {
    const first = await get()
    await clock.advance(10_000)
    const second = await get(first.token.fingerprint)
    expect(assumed).toHaveLength(1)
    await clock.advance(10_000)
    const third = await get(second.token.fingerprint)
    expect(assumed).toHaveLength(2)
    expect(third.token.text).not.toBe(second.token.text)
  })

  test('cannot make a key mint more than once in 10 s', async () => {
    let { token } = await get()
    const refusals: JetonError[] = []
    const mintedAt = new Set([token.issuedAt])
    for (let step = 0; step < 120; step++) {
      void tokenCache.get(KEY, { rejectedFingerprint: token.fingerprint }).then(
        held => {
          token = held.token
          mintedAt.add(token.issuedAt)
        },
        cause => refusals.push(cause),
      )
      await clock.advance(500)
    }
    expect(mintedAt.size).toBe(7)
    expect([...mintedAt].every((at, i, all) => i === 0 || at - (all[i - 1] ?? 0) >= 10_000)).toBe(true)
    expect(refusals.length).toBeGreaterThan(0)
    for (const { code, retryAfterMs } of refusals)
      expect([code, (retryAfterMs ?? 0) <= 10_000]).toEqual(['throttled', true])
  })

  test('is not the current one: the report changes nothing', async () => {
    const { token } = await get()
    await clock.advance(10_000)
    expect((await get('0'.repeat(64))).token).toBe(token)
    expect(signed).toBe(1)
  })
})

describe('handing out', () => {
  const handedOut = async (held: TokenDelivery) => {
    const out = held.deliver()
    let at: number | undefined
    void out.then(() => {
      at = clock.now()
    })
    await settle()
    return () => at
  }

  test('is at once where the record was written in time', async () => {
    const held = await tokenCache.get(KEY, {})
    expect((await handedOut(held))()).toBe(clock.now())
  })

  test('takes another turn where the record took long, one for all who hold the token', async () => {
    const keys = Array.from({ length: 16 }, (_, i) =>
      tokenKey({ database: ORDERS, user: 'migrator', principal: { issuer: 'i', subject: `s${i}` } }),
    )
    const asked = keys.flatMap(key => [tokenCache.get(key, {}), tokenCache.get(key, {})])
    await clock.advance(1000)
    const held = await Promise.all(asked)
    await clock.advance(1000)
    const times: number[] = []
    for (const one of held) void one.deliver().then(() => times.push(clock.now()))
    await clock.advance(0)
    expect(times.length).toBeLessThanOrEqual(2)
    await clock.advance(2000)
    expect(times).toHaveLength(32)
    expect(new Set(times).size).toBe(16)
  })

  test('costs nothing for a token that has left before', async () => {
    await get()
    await clock.advance(5 * MINUTE)
    const again = await tokenCache.get(KEY, {})
    expect((await handedOut(again))()).toBe(clock.now())
  })
})

test('callers whose turn is too far off are throttled, and STS is not asked for them', async () => {
  const keys = Array.from({ length: 500 }, (_, i) =>
    tokenKey({ database: ORDERS, user: 'migrator', principal: { issuer: 'i', subject: `s${i}` } }),
  )
  const asked = keys.map(key => tokenCache.get(key, {}))
  const outcomes = Promise.allSettled(asked)
  await clock.advance(6000)
  const throttled = (await outcomes).filter(outcome => outcome.status === 'rejected')
  expect(throttled.every(({ reason }) => reason.code === 'throttled' && reason.retryAfterMs > 0)).toBe(true)
  expect(assumed).toHaveLength(500 - throttled.length)
  expect(signed).toBe(77)
})

test('while newcomers flood a database, a token in use is renewed all the same', async () => {
  await get()
  await clock.advance(9 * MINUTE)
  for (let i = 0; i < 1000; i++)
    tokenCache
      .get(tokenKey({ database: ORDERS, user: 'migrator', principal: { issuer: 'i', subject: `s${i}` } }), {})
      .catch(() => {})
  await clock.advance(200)
  const renewing = tokenCache.get(KEY, {})
  await clock.advance(250)
  expect((await renewing).cached).toBe(false)
})

test('reports of refused tokens do not go before newcomers, so that nobody starves them', async () => {
  const keys = Array.from({ length: 40 }, (_, i) =>
    tokenKey({ database: ORDERS, user: 'migrator', principal: { issuer: 'i', subject: `s${i}` } }),
  )
  const first = keys.map(key => tokenCache.get(key, {}))
  await clock.advance(5000)
  const tokens = await Promise.all(first.map(async held => (await held).token))
  await clock.advance(20_000)
  let served = 0
  for (let i = 0; i < 20; i++)
    void tokenCache.get(tokenKey({ database: ORDERS, user: `new${i}` }), {}).then(() => served++)
  for (const [i, key] of keys.entries())
    tokenCache.get(key, { rejectedFingerprint: tokens[i]?.fingerprint }).catch(() => {})
  await clock.advance(20 * 65)
  expect(served).toBe(20)
})

test('a limit that was changed holds from the next new token on', async () => {
  const paces: number[] = []
  const rateLimiter = createRateLimiter({ store: createMemoryStore(clock), clock })
  const told = createTokenCache({
    clock,
    log,
    rateLimiter: {
      ...rateLimiter,
      reserve(wanted) {
        paces.push(wanted.perSecond)
        return rateLimiter.reserve(wanted)
      },
    },
    roles: rolesOf(async () => ({
      accessKeyId: 'a',
      secretAccessKey: 's',
      sessionToken: 't',
      identity: 'i',
      expiresAt: clock.now() + 60 * MINUTE,
    })),
    encryptedStore: createMemoryStore(clock),
    backgroundTasks: createBackgroundTasks(),
    random: () => 0.5,
    sign: signToken,
  })
  await told.get(KEY, {})
  const changed = tokenKey({ database: { ...ORDERS, newTokensPerSecond: 2 }, user: 'migrator' })
  expect(changed.id).toBe(KEY.id)
  await clock.advance(9 * MINUTE)
  const renewed = told.get(changed, {})
  await clock.advance(0)
  expect((await renewed).cached).toBe(false)
  expect(paces).toEqual([16, 2])
})

test('who comes with a refused token during a renewal that finds no turn is still served', async () => {
  const { token } = await get()
  await clock.advance(9 * MINUTE)
  for (let i = 0; i < 60; i++)
    tokenCache
      .get(tokenKey({ database: ORDERS, user: 'migrator', principal: { issuer: 'i', subject: `s${i}` } }), {})
      .catch(() => {})
  const renewing = tokenCache.get(KEY, {})
  const refused = tokenCache.get(KEY, { rejectedFingerprint: token.fingerprint })
  await clock.advance(6000)
  await renewing
  expect((await refused).token.text).not.toBe(token.text)
})
