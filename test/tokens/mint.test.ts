import { beforeEach, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { type CacheEntry, createEntry } from '../../src/tokens/cache-entry.ts'
import { createMinter, type Minter, type MinterParts, type MintRequest } from '../../src/tokens/mint.ts'
import { createRateLimiter } from '../../src/tokens/rate-limit/rate-limiter.ts'
import { createSessionProvider } from '../../src/tokens/role-session/session-provider.ts'
import type { TokenKey } from '../../src/tokens/token-key.ts'
import { tokenKey } from '../../src/tokens/token-key.ts'
import { createTokenStore, LEASE_MS, type TokenStore } from '../../src/tokens/token-store.ts'
import { settle, type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { type FakeRateLimiter, fakeRateLimiter, ON_TIME_MS, storedToken } from './fakes.ts'
import { createInstance, KEY, MINUTE, OWNER, sessionOf } from './instances.ts'

const THROTTLED = new JetonError('throttled', { publicMessage: 'too many' })
const ROLE_REFUSED = new JetonError('role_refused', { publicMessage: 'no' })
const SLOT_REQUEST = {
  owner: OWNER,
  hasPriority: false,
  isReplacement: false,
  isOptional: false,
  waitMs: 5000,
}

let clock: VirtualClock
let tokenStore: TokenStore
let otherStore: TokenStore
let limiter: FakeRateLimiter
let entry: CacheEntry
let minter: Minter
/** What has been done, in this order. */
let steps: string[]
let minted: TokenKey[]
let sts: {
  delayMs: number
  lifeMs: number
  fails: JetonError | undefined
  refusesNow: JetonError | undefined
}

beforeEach(() => {
  clock = virtualClock()
  steps = []
  minted = []
  sts = { delayMs: 0, lifeMs: 60 * MINUTE, fails: undefined, refusesNow: undefined }
  const encryptedStore = createMemoryStore(clock)
  tokenStore = createTokenStore({ encryptedStore, clock })
  otherStore = createTokenStore({ encryptedStore, clock })
  limiter = fakeRateLimiter(clock)
  const roles = {
    async assume() {
      steps.push('assume the role')
      if (sts.delayMs > 0) await clock.sleepUntil(clock.now() + sts.delayMs)
      if (sts.fails) throw sts.fails
      return sessionOf('1', clock.now() + sts.lifeMs)
    },
    check() {
      if (sts.refusesNow) throw sts.refusesNow
    },
  }
  entry = createEntry(
    KEY,
    createSessionProvider(KEY, { roles, clock, backgroundTasks: createBackgroundTasks() }),
  )
  minter = createMinter(recordingParts())
})

/** The parts of a minter over fakes, which write each step down. */
function recordingParts(): MinterParts {
  return {
    tokenStore: {
      read: key => tokenStore.read(key),
      lease(key, snapshot) {
        steps.push('lease')
        return tokenStore.lease(key, snapshot)
      },
    },
    rateLimiter: {
      ...limiter,
      join(request) {
        steps.push('join the queue')
        const place = limiter.join(request)
        return {
          async reserve() {
            steps.push('reserve a slot')
            const reservation = await place.reserve()
            return {
              ...reservation,
              async slot() {
                steps.push('wait for the slot')
                return reservation.slot()
              },
            }
          },
          leave: place.leave,
        }
      },
    },
    async sign(_key, { session, at }) {
      steps.push('sign')
      const { token } = storedToken(at)
      return { ...token, expiresAt: Math.min(token.expiresAt, session.expiresAt) }
    },
    onMinted: key => minted.push(key),
    slotWaitMs: 700,
    backgroundTasks: createBackgroundTasks(),
    clock,
    log: createLogRecorder(),
  }
}

async function requestNow({ replacements = 0 } = {}): Promise<MintRequest> {
  return { snapshot: await tokenStore.read(KEY), replacements, slotRequest: SLOT_REQUEST }
}

test('mint joins the queue, leases, reserves, assumes the role, waits for the slot and signs, in this order', async () => {
  const token = await minter.mint(entry, await requestNow())
  expect(steps).toEqual([
    'join the queue',
    'lease',
    'reserve a slot',
    'assume the role',
    'wait for the slot',
    'sign',
  ])
  expect(token).toMatchObject({ mintedAt: clock.now(), mintedHere: true, replacements: 0 })
  expect(entry.current).toBe(token)
  expect(minted).toEqual([KEY])
})

test('mint signs when the slot has come, not before: the token has its full 15 minutes', async () => {
  limiter.nextSlotMs = 400
  const minting = minter.mint(entry, await requestNow())
  await clock.advance(399)
  expect(steps).not.toContain('sign')
  const slot = clock.now() + 1
  await clock.advance(1)
  expect((await minting)?.token.issuedAt).toBe(slot)
})

test('mint asks for a slot of the RDS resource at its configured rate', async () => {
  await minter.mint(entry, await requestNow())
  expect(limiter.reserved).toEqual([
    {
      resource: '123456789012/us-east-1/db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
      perSecond: 16,
      keyId: KEY.id,
      ...SLOT_REQUEST,
      isReady: false,
    },
  ])
})

test('mint is ready for its slot at once if there is a role session that is fit to sign', async () => {
  await (await minter.mint(entry, await requestNow()))?.deliver(OWNER)
  await settle()
  await minter.mint(entry, await requestNow())
  expect(limiter.reserved.map(({ isReady }) => isReady)).toEqual([false, true])
  expect(steps.filter(step => step === 'assume the role')).toHaveLength(1)
})

test('mint hides the token from the fleet until it is delivered', async () => {
  const token = await minter.mint(entry, await requestNow({ replacements: 1 }))
  const before = await otherStore.read(KEY)
  expect([before.stored, before.leasedUntil]).toEqual([undefined, clock.now() + LEASE_MS])
  await token?.deliver(OWNER)
  await settle()
  const after = await otherStore.read(KEY)
  expect(after.stored).toMatchObject({ mintedAt: token?.mintedAt, replacements: 1 })
  expect(after.leasedUntil).toBe(0)
})

test('mint reserves another slot, ahead of newcomers, for a token that missed its own', async () => {
  const token = await minter.mint(entry, await requestNow())
  await clock.advance(ON_TIME_MS + 1)
  await token?.deliver(OWNER)
  expect(limiter.reserved.slice(1)).toMatchObject([
    { perSecond: 16, hasPriority: true, hasMissedSlot: true, isOptional: false, waitMs: 700, isReady: true },
  ])
})

test('mint uses the token of another instance that supersedes its own', async () => {
  const token = await minter.mint(entry, await requestNow())
  await clock.advance(LEASE_MS)
  const lease = await otherStore.lease(KEY, await otherStore.read(KEY))
  const newer = storedToken(clock.now(), { text: 'minted elsewhere' })
  await lease?.publish(newer)
  await token?.deliver(OWNER)
  await settle()
  expect(entry.current).toMatchObject({ ...newer, mintedHere: false })
})

test('mint returns undefined, and reserves no slot, if another instance leased the record first', async () => {
  const request = await requestNow()
  await otherStore.lease(KEY, await otherStore.read(KEY))
  expect(await minter.mint(entry, request)).toBeUndefined()
  expect([limiter.reserved, entry.current]).toEqual([[], undefined])
})

test('mint returns undefined, and signs nothing, if its lease has ended when the slot comes', async () => {
  limiter.nextSlotMs = LEASE_MS
  const minting = minter.mint(entry, await requestNow())
  await clock.advance(LEASE_MS)
  expect(await minting).toBeUndefined()
  expect(steps).not.toContain('sign')
  expect([limiter.left, entry.current]).toEqual([1, undefined])
})

test('mint throws the refusal of a slot before it leases, and so does checkSlot', async () => {
  limiter.refuses = THROTTLED
  await expect(minter.mint(entry, await requestNow())).rejects.toBe(THROTTLED)
  expect(steps).toEqual(['join the queue'])
  expect(() => minter.checkSlot(entry, SLOT_REQUEST)).toThrow(THROTTLED)
})

test('mint throws the refusal of a role that just failed before it leases', async () => {
  sts.refusesNow = ROLE_REFUSED
  await expect(minter.mint(entry, await requestNow())).rejects.toBe(ROLE_REFUSED)
  expect(steps).toEqual([])
})

test('mint leaves the queue and releases the lease if the role is refused', async () => {
  sts.fails = ROLE_REFUSED
  await expect(minter.mint(entry, await requestNow())).rejects.toBe(ROLE_REFUSED)
  await settle()
  expect(limiter.left).toBe(1)
  expect((await otherStore.read(KEY)).leasedUntil).toBe(0)
  expect([entry.current, minted]).toEqual([undefined, []])
})

test('mint throws temporarily_unavailable if the role session ends too soon for any token', async () => {
  sts.lifeMs = 5 * MINUTE
  await expect(minter.mint(entry, await requestNow())).rejects.toMatchObject({
    code: 'temporarily_unavailable',
    reason: expect.stringContaining(KEY.sessionName),
    retryAfterMs: 10_000,
  })
  await settle()
  expect((await otherStore.read(KEY)).leasedUntil).toBe(0)
})

test('mint calls STS no sooner than the reservation says', async () => {
  limiter.prepareMs = 1500
  const minting = minter.mint(entry, await requestNow())
  await clock.advance(1499)
  expect(steps).not.toContain('assume the role')
  await clock.advance(1)
  await minting
  expect(steps).toContain('assume the role')
})

test('mint replaces the role session after a second rejected replacement, and only once it has a slot', async () => {
  await entry.session.renew()
  await minter.mint(entry, await requestNow({ replacements: 1 }))
  expect(steps.filter(step => step === 'assume the role')).toHaveLength(1)
  limiter.refuses = THROTTLED
  await expect(minter.mint(entry, await requestNow({ replacements: 2 }))).rejects.toBe(THROTTLED)
  expect(entry.session.isFit()).toBe(true)
  limiter.refuses = undefined
  steps = []
  await clock.advance(LEASE_MS)
  expect(await minter.mint(entry, await requestNow({ replacements: 2 }))).toMatchObject({ replacements: 2 })
  expect(steps.indexOf('reserve a slot')).toBeLessThan(steps.indexOf('assume the role'))
  expect(limiter.reserved.map(({ isReady }) => isReady)).toEqual([true, false])
})

test('mint without need waits for STS no longer than 250 ms, and frees the lease and the slot for others', async () => {
  sts.delayMs = 3000
  const slotRequest = { ...SLOT_REQUEST, isOptional: true }
  const minting = minter.mint(entry, { ...(await requestNow()), slotRequest })
  await clock.advance(249)
  expect([limiter.left, entry.session.isBeingRenewed()]).toEqual([0, true])
  await clock.advance(1)
  expect(await minting).toBeUndefined()
  expect([limiter.left, (await otherStore.read(KEY)).leasedUntil]).toEqual([1, 0])
  await clock.advance(3000)
  expect([entry.session.isFit(), entry.current]).toEqual([true, undefined])
})

test('a limit that a reload changes holds from the next new token on', async () => {
  const store = createMemoryStore(clock)
  const rateLimiter = createRateLimiter({ encryptedStore: store, clock })
  const rates: number[] = []
  const { get } = createInstance({
    store,
    clock,
    rateLimiter: {
      ...rateLimiter,
      join(request) {
        rates.push(request.perSecond)
        return rateLimiter.join(request)
      },
    },
  })
  await get()
  await clock.advance(9 * MINUTE)
  const key = tokenKey({ database: { ...ORDERS, newTokensPerSecond: 2 }, user: 'migrator' })
  expect((await get({ key })).cached).toBe(false)
  expect(rates).toEqual([16, 2])
})
