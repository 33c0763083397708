import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import { type CachedToken, type CacheEntry, createEntry } from '../../src/tokens/cache-entry.ts'
import { ALREADY_DELIVERED } from '../../src/tokens/first-delivery.ts'
import type { MintRequest } from '../../src/tokens/mint.ts'
import { createRenewer, decideRenewal, type Renew } from '../../src/tokens/renew.ts'
import { createSessionProvider } from '../../src/tokens/role-session/session-provider.ts'
import type { TokenSnapshot } from '../../src/tokens/token-store.ts'
import { settle, type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder, eventsOf, type LogRecorder } from '../support/service/log-recorder.ts'
import { storedToken } from './fakes.ts'
import { KEY, MINUTE, OWNER, ownerOf, sessionOf } from './instances.ts'

const THROTTLED = new JetonError('throttled', { publicMessage: 'too many' })
const GONE = new JetonError('temporarily_unavailable', { publicMessage: 'no', reason: 'STS is gone' })

const cached = (mintedAt: number, { mintedHere = false } = {}): CachedToken => ({
  ...storedToken(mintedAt),
  ...ALREADY_DELIVERED,
  mintedHere,
})

describe('decideRenewal', () => {
  const current = cached(0)
  const now = current.token.refreshAfter
  const FREE: TokenSnapshot = { stored: current, leasedUntil: 0, version: '1' }
  const LEASED: TokenSnapshot = { ...FREE, leasedUntil: now + 1 }
  const state = { current, snapshot: FREE, isSessionFit: false, now }
  const mine = cached(0, { mintedHere: true })

  test.each([
    ['waits while another instance has the lease', { ...state, snapshot: LEASED }, 'wait'],
    ['waits for the lease whatever it has', { ...state, snapshot: LEASED, isSessionFit: true }, 'wait'],
    ['mints with a role session', { ...state, isSessionFit: true }, 'mint'],
    [
      'mints once the lease has ended',
      { ...state, isSessionFit: true, snapshot: { ...FREE, leasedUntil: now } },
      'mint',
    ],
    [
      'mints although nothing is stored',
      { ...state, isSessionFit: true, snapshot: { ...FREE, stored: undefined } },
      'mint',
    ],
    ['waits for the instance that minted last', state, 'wait'],
    ['waits for that up to 10 s', { ...state, now: now + 9999 }, 'wait'],
    ['mints after those 10 s, with a new role session', { ...state, now: now + 10_000 }, 'mint'],
    ['mints at once if it minted last, with a new role session', { ...state, current: mine }, 'mint'],
  ])('%s', (_name, given, action) => {
    expect(decideRenewal(given)).toEqual({ action })
  })

  test('uses a successor, whichever instance has the lease', () => {
    const successor = storedToken(MINUTE)
    const snapshot = { ...LEASED, stored: successor }
    expect(decideRenewal({ ...state, snapshot, isSessionFit: true })).toEqual({
      action: 'use-successor',
      successor,
    })
  })

  test('uses no successor that cannot be vended, and none that is older', () => {
    const fit = { ...state, isSessionFit: true }
    const tooOld = { ...fit, now: 20 * MINUTE, snapshot: { ...FREE, stored: storedToken(MINUTE) } }
    expect(decideRenewal(tooOld)).toEqual({ action: 'mint' })
    const older = { ...fit, snapshot: { ...FREE, stored: storedToken(-MINUTE) } }
    expect(decideRenewal(older)).toEqual({ action: 'mint' })
  })
})

describe('a renewal', () => {
  let clock: VirtualClock
  let log: LogRecorder
  let entry: CacheEntry
  let current: CachedToken
  let renew: Renew
  let snapshot: TokenSnapshot
  let reads: number
  let mints: MintRequest[]
  /** What each call fails with, and how long STS takes. */
  let faults: {
    slot?: Error | undefined
    read?: Error | undefined
    mint?: Error | undefined
  }
  let stsMs: number
  let next: CachedToken | undefined

  beforeEach(() => {
    clock = virtualClock()
    log = createLogRecorder()
    reads = 0
    mints = []
    faults = {}
    stsMs = 0
    const roles = {
      async assume() {
        await clock.sleepUntil(clock.now() + stsMs)
        return sessionOf('1', clock.now() + 60 * MINUTE)
      },
      check() {},
    }
    entry = createEntry(
      KEY,
      createSessionProvider(KEY, { roles, clock, backgroundTasks: createBackgroundTasks() }),
    )
    current = cached(clock.now() - 9 * MINUTE, { mintedHere: true })
    entry.current = current
    next = cached(clock.now(), { mintedHere: true })
    snapshot = { stored: current, leasedUntil: 0, version: '1' }
    renew = createRenewer({
      async read() {
        reads++
        if (faults.read) throw faults.read
        return snapshot
      },
      checkSlot() {
        if (faults.slot) throw faults.slot
      },
      async mint(_entry, request) {
        mints.push(request)
        if (faults.mint) throw faults.mint
        return next
      },
      clock,
      log,
      random: () => 0.5,
    })
  })

  test('mints with priority, and waits for a slot 250 ms at most', async () => {
    expect(await renew(entry, { current, owner: OWNER })).toEqual({ cachedToken: next, isMinted: true })
    const flags = { hasPriority: true, isReplacement: false, isOptional: true }
    const slotRequest = { owner: OWNER, ...flags, waitMs: 250 }
    expect(mints).toEqual([{ snapshot, replacements: 0, slotRequest }])
  })

  test('uses the successor that another instance has minted', async () => {
    const successor = storedToken(clock.now() - 1000)
    snapshot = { ...snapshot, stored: successor }
    expect(await renew(entry, { current, owner: OWNER })).toMatchObject({
      cachedToken: successor,
      isMinted: false,
    })
    expect(entry.current).toMatchObject({ ...successor, mintedHere: false })
    expect(mints).toEqual([])
  })

  test('keeps the old token if another instance was quicker to lease', async () => {
    await entry.session.renew()
    next = undefined
    expect(await renew(entry, { current, owner: OWNER })).toBeUndefined()
    expect(entry.current).toBe(current)
  })

  test('is tried again after a second while another instance has the lease', async () => {
    snapshot = { ...snapshot, leasedUntil: clock.now() + 16_000 }
    await renew(entry, { current, owner: OWNER })
    await clock.advance(999)
    await renew(entry, { current, owner: OWNER })
    expect(reads).toBe(1)
    await clock.advance(1)
    await renew(entry, { current, owner: OWNER })
    expect(reads).toBe(2)
  })

  test('is tried again after a second, without a read and a log line, if no slot is near enough', async () => {
    faults.slot = THROTTLED
    expect(await renew(entry, { current, owner: OWNER })).toBeUndefined()
    faults.slot = undefined
    await clock.advance(999)
    await renew(entry, { current, owner: OWNER })
    expect([reads, eventsOf(log)]).toEqual([0, []])
    await clock.advance(1)
    await renew(entry, { current, owner: OWNER })
    expect(reads).toBe(1)
  })

  test('is not held up by its pause if the clock is put back', async () => {
    snapshot = { ...snapshot, leasedUntil: clock.now() + 16_000 }
    entry.renewalPause = { since: clock.now() + MINUTE, forMs: 1000 }
    await renew(entry, { current, owner: OWNER })
    expect(reads).toBe(1)
  })

  test('keeps the old token while STS is asked for a role session beside requests', async () => {
    stsMs = 3000
    const renewal = entry.session.renew()
    expect(await renew(entry, { current, owner: OWNER })).toBeUndefined()
    expect(reads).toBe(0)
    await clock.advance(3000)
    await renewal
    expect(await renew(entry, { current, owner: OWNER })).toMatchObject({ isMinted: true })
  })

  test('that finds the share of its grant full does not keep callers of another grant from renewing', async () => {
    faults.slot = THROTTLED
    expect(await renew(entry, { current, owner: OWNER })).toBeUndefined()
    faults.slot = undefined
    expect(await renew(entry, { current, owner: OWNER })).toBeUndefined()
    expect(await renew(entry, { current, owner: ownerOf(KEY, 'reports') })).toMatchObject({ isMinted: true })
  })

  test.each(['read', 'mint'] as const)(
    'that fails (%s) never rejects: the log says so, and it is tried again after 10 s',
    async step => {
      faults[step] = GONE
      expect(await renew(entry, { current, owner: OWNER })).toBeUndefined()
      await settle()
      expect(log.lines).toMatchObject([
        {
          level: 'warn',
          fields: { event: 'renewal_failed', session: KEY.sessionName, reason: 'STS is gone' },
        },
      ])
      const readsBefore = reads
      await clock.advance(9999)
      await renew(entry, { current, owner: OWNER })
      expect(reads).toBe(readsBefore)
      await clock.advance(1)
      await renew(entry, { current, owner: OWNER })
      expect(reads).toBe(readsBefore + 1)
    },
  )

  test('that fails for a bug logs nothing of its text, which may hold a secret', async () => {
    faults.read = new TypeError('a secret')
    expect(await renew(entry, { current, owner: OWNER })).toBeUndefined()
    expect(eventsOf(log)).toEqual(['renewal_failed'])
    expect(JSON.stringify(log.lines)).not.toContain('a secret')
  })
})
