import { beforeEach, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import { type CachedToken, type CacheEntry, createEntry } from '../../src/tokens/cache-entry.ts'
import { ALREADY_DELIVERED } from '../../src/tokens/first-delivery.ts'
import type { MintRequest, SlotRequest } from '../../src/tokens/mint.ts'
import { createObtainer, type Obtainer } from '../../src/tokens/obtain.ts'
import { createSessionProvider } from '../../src/tokens/role-session/session-provider.ts'
import { LEASE_MS, type TokenSnapshot } from '../../src/tokens/token-store.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { storedToken } from './fakes.ts'
import { KEY, MINUTE, OWNER, sessionOf } from './instances.ts'

const THROTTLED = new JetonError('throttled', { publicMessage: 'too many' })

let clock: VirtualClock
let entry: CacheEntry
let obtainer: Obtainer
let snapshot: TokenSnapshot
let readAt: number[]
let checked: SlotRequest[]
let mints: MintRequest[]
/** What the next mints return, then `minted`. */
let mintResults: undefined[]
let minted: CachedToken
let refusal: JetonError | undefined

const cached = (mintedAt: number, options: { replacements?: number } = {}): CachedToken => ({
  ...storedToken(mintedAt, options),
  ...ALREADY_DELIVERED,
  mintedHere: true,
})

beforeEach(() => {
  clock = virtualClock()
  const roles = { assume: async () => sessionOf('1', clock.now() + 60 * MINUTE), check() {} }
  entry = createEntry(
    KEY,
    createSessionProvider(KEY, { roles, clock, backgroundTasks: createBackgroundTasks() }),
  )
  snapshot = { stored: undefined, leasedUntil: 0, version: 'absent' }
  readAt = []
  checked = []
  mints = []
  mintResults = []
  minted = cached(clock.now())
  refusal = undefined
  obtainer = createObtainer({
    async read() {
      readAt.push(clock.now())
      return snapshot
    },
    checkSlot(_entry, slotRequest) {
      checked.push(slotRequest)
      if (refusal) throw refusal
    },
    async mint(_entry, request) {
      mints.push(request)
      return mintResults.length > 0 ? mintResults.pop() : minted
    },
    clock,
    random: () => 0.5,
    slotWaitMs: 5000,
  })
})

const obtain = (of: CacheEntry, rejectedFingerprint?: string) =>
  obtainer.obtain(of, { owner: OWNER, rejectedFingerprint })

const lease = (forMs: number) => {
  snapshot = { ...snapshot, leasedUntil: clock.now() + forMs }
}

test('obtain returns the token that the store has', async () => {
  const stored = storedToken(clock.now() - MINUTE)
  snapshot = { ...snapshot, stored }
  expect(await obtain(entry)).toMatchObject({ cachedToken: stored, isMinted: false })
  expect([entry.current?.token, mints]).toEqual([stored.token, []])
})

test('obtain mints, queueing like a newcomer, if the store has none', async () => {
  expect(await obtain(entry)).toEqual({ cachedToken: minted, isMinted: true })
  const flags = { hasPriority: false, isReplacement: false, isOptional: false }
  const slotRequest = { owner: OWNER, ...flags, waitMs: 5000 }
  expect(mints).toEqual([{ snapshot, replacements: 0, slotRequest }])
})

test('obtain mints ahead of newcomers for a token in use that is too short for another vend', async () => {
  snapshot = { ...snapshot, stored: storedToken(clock.now() - 11 * MINUTE) }
  await obtain(entry)
  expect(mints.map(({ slotRequest }) => slotRequest.hasPriority)).toEqual([true])
})

test('obtain queues like a newcomer for a token that has expired', async () => {
  entry.current = cached(clock.now() - 15 * MINUTE)
  await obtain(entry)
  expect(mints.map(({ slotRequest }) => slotRequest.hasPriority)).toEqual([false])
})

test('obtain reads again if another instance was quicker to lease', async () => {
  mintResults = [undefined]
  const obtaining = obtain(entry)
  await clock.advance(25)
  expect(await obtaining).toMatchObject({ isMinted: true })
  expect([readAt.length, mints.length]).toEqual([2, 2])
})

test('obtain polls the store less and less often while another instance mints', async () => {
  const start = clock.now()
  lease(LEASE_MS)
  const obtaining = obtain(entry)
  await clock.advance(5000)
  // 25 ms doubled up to 800 ms, times 0.75 by chance
  const pauses = [25, 50, 100, 200, 400, 800, 800, 800].map(ms => ms * 0.75)
  const times = pauses.map((_, i) => pauses.slice(0, i).reduce((sum, ms) => sum + ms, 0))
  expect(readAt.slice(0, 8).map(at => at - start)).toEqual(times)
  const stored = storedToken(clock.now())
  snapshot = { ...snapshot, stored }
  await clock.advance(800)
  expect(await obtaining).toMatchObject({ cachedToken: stored, isMinted: false })
})

test('obtain mints when the lease of another instance ends without a token', async () => {
  lease(1000)
  const obtaining = obtain(entry)
  await clock.advance(999)
  expect(mints).toEqual([])
  await clock.advance(800)
  expect(await obtaining).toMatchObject({ isMinted: true })
})

test('obtain mints in spite of a lease after 16 s of leases that bring no token, and up to a second', async () => {
  lease(60_000)
  const obtaining = obtain(entry)
  await clock.advance(LEASE_MS)
  expect(mints).toEqual([])
  await clock.advance(1000 + 800)
  expect(await obtaining).toMatchObject({ cachedToken: minted, isMinted: true })
})

test('obtain gives up if others even then change the record first', async () => {
  lease(60_000)
  mintResults = [undefined]
  const obtaining = obtain(entry).catch(cause => cause)
  await clock.advance(LEASE_MS + 1000 + 800)
  expect(await obtaining).toMatchObject({ code: 'temporarily_unavailable', retryAfterMs: 1000 })
})

test('obtain polls less and less often while others change the record at each try, and then gives up', async () => {
  mintResults = Array<undefined>(1000).fill(undefined)
  const obtaining = obtain(entry).catch(cause => cause)
  await clock.advance(LEASE_MS + 1000 + 800)
  expect(await obtaining).toMatchObject({ code: 'temporarily_unavailable' })
  expect(readAt.length).toBeLessThan(40)
})

test('obtain throws the refusal of a slot without a read if the store was just read', async () => {
  refusal = THROTTLED
  entry.lastReadAt = clock.now() - 999
  await expect(obtain(entry)).rejects.toBe(THROTTLED)
  expect([readAt, checked.length]).toEqual([[], 1])
})

test('obtain reads the store after a second, whatever the slots: another instance may have a token', async () => {
  refusal = THROTTLED
  entry.lastReadAt = clock.now() - 1000
  snapshot = { ...snapshot, stored: storedToken(clock.now()) }
  expect(await obtain(entry)).toMatchObject({ isMinted: false })
  expect(checked).toEqual([])
})

test('obtain replaces a rejected token', async () => {
  const rejected = cached(clock.now() - MINUTE)
  entry.current = rejected
  snapshot = { ...snapshot, stored: rejected }
  await obtain(entry, rejected.token.fingerprint)
  expect(mints).toMatchObject([
    { replacements: 1, slotRequest: { hasPriority: false, isReplacement: true, waitMs: 5000 } },
  ])
})

test('obtain uses no stored token that is older than the rejected one', async () => {
  const rejected = cached(clock.now() - MINUTE)
  entry.current = rejected
  snapshot = { ...snapshot, stored: storedToken(clock.now() - 2 * MINUTE) }
  expect(await obtain(entry, rejected.token.fingerprint)).toMatchObject({ isMinted: true })
  snapshot = { ...snapshot, stored: storedToken(clock.now() - 1000) }
  expect(await obtain(entry, rejected.token.fingerprint)).toMatchObject({ isMinted: false })
})

test('obtain counts the replacements in a row, and starts again after a token that was not rejected', async () => {
  entry.current = cached(clock.now() - 10 * MINUTE, { replacements: 3 })
  await obtain(entry, entry.current.token.fingerprint)
  entry.current = cached(clock.now() - 10 * MINUTE, { replacements: 3 })
  await obtain(entry)
  expect(mints.map(({ replacements }) => replacements)).toEqual([4, 0])
})

test('obtain waits until 10 s after the last mint, and takes that off the wait for a slot', async () => {
  const rejected = cached(clock.now() - 6000)
  entry.current = rejected
  const obtaining = obtain(entry, rejected.token.fingerprint)
  await clock.advance(3999)
  expect(mints).toEqual([])
  await clock.advance(1)
  await obtaining
  expect(mints.map(({ slotRequest }) => slotRequest.waitMs)).toEqual([1000])
})

test('obtain refuses a report without a read if the pause after the last mint is known', async () => {
  const rejected = cached(clock.now() - 1000, { replacements: 3 })
  entry.current = rejected
  entry.lastReadAt = clock.now()
  await expect(obtain(entry, rejected.token.fingerprint)).rejects.toMatchObject({
    code: 'throttled',
    reason: expect.stringContaining('reported as rejected'),
    retryAfterMs: 79_000,
  })
  expect([readAt, checked]).toEqual([[], []])
})

test('obtain lets others use the fleet’s token at once, though one caller reports it as rejected', async () => {
  const stored = storedToken(clock.now() - 6000)
  snapshot = { ...snapshot, stored }
  const reporting = obtain(entry, stored.token.fingerprint)
  await clock.advance(0)
  expect(entry.current).toMatchObject(stored)
  await clock.advance(4000)
  await reporting
})

test.each([0, 1, 2, 3, 4, 5, 6, 7, 1e9])(
  'obtain waits at most 10 minutes after %d replacements',
  async replacements => {
    const rejected = cached(clock.now(), { replacements })
    entry.current = rejected
    const seconds = Math.min(600, 10 * 2 ** replacements)
    await expect(obtain(entry, rejected.token.fingerprint)).rejects.toMatchObject({
      retryAfterMs: seconds * 1000,
    })
  },
)

test('obtain throttles a report that would wait longer for that than for a slot', async () => {
  const rejected = cached(clock.now() - 4999)
  entry.current = rejected
  await expect(obtain(entry, rejected.token.fingerprint)).rejects.toMatchObject({
    code: 'throttled',
    retryAfterMs: 5001,
  })
})
