import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../../src/errors.ts'
import { type BackgroundTasks, createBackgroundTasks } from '../../../src/lib/background-tasks.ts'
import {
  createSessionProvider,
  type SessionProvider,
} from '../../../src/tokens/role-session/session-provider.ts'
import type { RoleSession } from '../../../src/tokens/token.ts'
import { type TokenKey, tokenKey } from '../../../src/tokens/token-key.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { ORDERS } from '../../support/databases/orders.ts'

const MINUTE = 60_000
const KEY = tokenKey({ database: ORDERS, user: 'migrator' })
const GONE = new JetonError('temporarily_unavailable', { publicMessage: 'gone' })
const REFUSED = new JetonError('role_refused', { publicMessage: 'refused' })

let clock: VirtualClock
/** What STS does, and the keys of its calls. */
let sts: { delayMs: number; sessionMs: number; failure: unknown; requestedKeys: TokenKey[] }
/** What `check` of the role throws. */
let refusal: unknown
let provider: SessionProvider
let backgroundTasks: BackgroundTasks

beforeEach(() => {
  clock = virtualClock()
  sts = { delayMs: 0, sessionMs: 60 * MINUTE, failure: undefined, requestedKeys: [] }
  refusal = undefined
  backgroundTasks = createBackgroundTasks()
  provider = createSessionProvider(KEY, {
    clock,
    backgroundTasks,
    roles: {
      assume,
      check() {
        if (refusal) throw refusal
      },
    },
  })
})

async function assume(key: TokenKey): Promise<RoleSession> {
  sts.requestedKeys.push(key)
  await clock.sleepUntil(clock.now() + sts.delayMs)
  if (sts.failure) throw sts.failure
  const accessKeyId = `ASIA${sts.requestedKeys.length}`
  const expiresAt = clock.now() + sts.sessionMs
  return { accessKeyId, secretAccessKey: 's', sessionToken: 't', expiresAt, identity: key.sessionName }
}

/** Gets a session and signs with it. */
async function sign(): Promise<string> {
  const { accessKeyId } = await provider.getForSigning()
  provider.markUsed()
  return accessKeyId
}

describe('getForSigning', () => {
  test('asks STS for the first session of its key, and returns it again while it outlives a token', async () => {
    expect(await sign()).toBe('ASIA1')
    await clock.advance(45 * MINUTE)
    expect(await sign()).toBe('ASIA1')
    expect(sts.requestedKeys).toEqual([KEY])
  })

  test('asks STS for a new one once a token would outlive the session', async () => {
    await sign()
    await clock.advance(45 * MINUTE + 1)
    expect(await sign()).toBe('ASIA2')
  })

  test('signs once with a session that STS made too short, then asks for another', async () => {
    sts.sessionMs = 10 * MINUTE
    expect(await sign()).toBe('ASIA1')
    expect(await sign()).toBe('ASIA2')
  })

  test('makes one call to STS for concurrent callers', async () => {
    sts.delayMs = 100
    const sessions = Promise.all([provider.getForSigning(), provider.getForSigning(), provider.renew()])
    await clock.advance(100)
    expect(new Set((await sessions).map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['ASIA1']))
    expect(sts.requestedKeys).toHaveLength(1)
  })

  test('returns the old session while STS cannot be reached and it lasts for a token that can be vended', async () => {
    await sign()
    sts.failure = GONE
    await clock.advance(50 * MINUTE)
    expect(await sign()).toBe('ASIA1')
    await clock.advance(5 * MINUTE)
    await expect(provider.getForSigning()).rejects.toBe(GONE)
  })

  test('returns it to a caller with a minimum only if the minimum is left after the wait for a slot, too', async () => {
    const minimumMs = 14 * MINUTE
    await sign()
    sts.failure = GONE
    await clock.advance(46 * MINUTE - 7000)
    expect((await provider.getForSigning(minimumMs)).accessKeyId).toBe('ASIA1')
    await clock.advance(1)
    await expect(provider.getForSigning(minimumMs)).rejects.toBe(GONE)
    expect(await sign()).toBe('ASIA1')
  })

  test('does not return the old session when AWS refuses the role, nor after a bug', async () => {
    await sign()
    await clock.advance(50 * MINUTE)
    sts.failure = REFUSED
    await expect(provider.getForSigning()).rejects.toBe(REFUSED)
    sts.failure = new TypeError('a bug')
    await expect(provider.getForSigning()).rejects.toBe(sts.failure)
  })

  test("rejects with STS's failure when there is no session yet, and calls STS again the next time", async () => {
    sts.failure = GONE
    await expect(provider.getForSigning()).rejects.toBe(GONE)
    sts.failure = undefined
    expect(await sign()).toBe('ASIA2')
  })
})

describe('a slow STS', () => {
  /** What `work` has settled with after `ms`. */
  async function settledAfter(ms: number, work: Promise<unknown>): Promise<unknown> {
    let settled: unknown = 'pending'
    void work.then(
      value => {
        settled = value
      },
      cause => {
        settled = cause
      },
    )
    await clock.advance(ms)
    return settled
  }

  test('keeps a caller waiting for 5 s, and has a session for who comes back', async () => {
    sts.delayMs = 9000
    const first = provider.getForSigning()
    expect(await settledAfter(4999, first)).toBe('pending')
    const slow = await settledAfter(1, first)
    expect(slow).toMatchObject({ code: 'temporarily_unavailable', retryAfterMs: 1000 })
    expect((slow as JetonError).reason).toContain(KEY.sessionName)
    expect(provider.isBeingRenewed()).toBe(true)
    await clock.advance(1000)
    const second = provider.getForSigning()
    expect(await settledAfter(3000, second)).toMatchObject({ accessKeyId: 'ASIA1' })
    expect(sts.requestedKeys).toHaveLength(1)
    expect(provider.isFit()).toBe(true)
  })

  test('serves whoever comes after it has answered at once, though nobody waited any more', async () => {
    sts.delayMs = 9000
    await settledAfter(
      5000,
      provider.getForSigning().catch(() => undefined),
    )
    await clock.advance(4000)
    expect(await sign()).toBe('ASIA1')
  })

  test('makes a caller use the old session after 5 s, if that lasts for a token', async () => {
    await sign()
    await clock.advance(50 * MINUTE)
    sts.delayMs = 9000
    const shorter = provider.getForSigning()
    expect(await settledAfter(4999, shorter)).toBe('pending')
    expect(await settledAfter(1, shorter)).toMatchObject({ accessKeyId: 'ASIA1' })
    await clock.advance(4000)
    expect(await sign()).toBe('ASIA2')
  })

  test('that answers no more fails only whoever waits, and a later call is made', async () => {
    sts.delayMs = 12_000
    sts.failure = GONE
    await settledAfter(
      5000,
      provider.getForSigning().catch(() => undefined),
    )
    expect(
      await settledAfter(
        7000,
        provider.getForSigning().catch(cause => cause),
      ),
    ).toMatchObject({
      reason: expect.stringContaining('STS has not answered, or others of this role come first'),
    })
    expect(provider.isBeingRenewed()).toBe(false)
    sts.failure = undefined
    sts.delayMs = 0
    expect(await sign()).toBe('ASIA2')
  })

  test('is waited for before a process closes or freezes, as other background tasks are', async () => {
    sts.delayMs = 9000
    await settledAfter(
      5000,
      provider.getForSigning().catch(() => undefined),
    )
    const drained = backgroundTasks.drain().then(() => 'drained')
    expect(await settledAfter(3999, drained)).toBe('pending')
    expect(await settledAfter(1, drained)).toBe('drained')
  })
})

describe('renew', () => {
  test('replaces a session that is still fit', async () => {
    await sign()
    await provider.renew()
    expect(await sign()).toBe('ASIA2')
  })

  test('keeps the old session when it fails', async () => {
    await sign()
    sts.failure = GONE
    await expect(provider.renew()).rejects.toBe(GONE)
    expect(await sign()).toBe('ASIA1')
  })

  test('makes isBeingRenewed true until it has ended', async () => {
    sts.delayMs = 100
    expect(provider.isBeingRenewed()).toBe(false)
    const renewal = provider.renew()
    expect(provider.isBeingRenewed()).toBe(true)
    await clock.advance(100)
    await renewal
    expect(provider.isBeingRenewed()).toBe(false)
  })
})

describe('isFit', () => {
  test('is false without a session, and true until a token would outlive the one there is', async () => {
    expect(provider.isFit()).toBe(false)
    await sign()
    expect(provider.isFit()).toBe(true)
    await clock.advance(45 * MINUTE + 1)
    expect(provider.isFit()).toBe(false)
  })

  test('is true of a short session that has not signed yet', async () => {
    await sign()
    sts.sessionMs = 10 * MINUTE
    await provider.renew()
    expect(provider.isFit()).toBe(true)
    provider.markUsed()
    expect(provider.isFit()).toBe(false)
  })
})

describe('check', () => {
  test('throws what the role is refused with when there is no session', () => {
    refusal = GONE
    expect(() => provider.check()).toThrow(GONE)
    refusal = undefined
    expect(() => provider.check()).not.toThrow()
  })

  test('throws nothing while a session is fit, whatever the role fails with', async () => {
    await sign()
    refusal = REFUSED
    expect(() => provider.check()).not.toThrow()
  })

  test('throws nothing while the old session will do, unless AWS refuses the role', async () => {
    await sign()
    await clock.advance(50 * MINUTE)
    refusal = GONE
    expect(() => provider.check()).not.toThrow()
    refusal = REFUSED
    expect(() => provider.check()).toThrow(REFUSED)
    refusal = GONE
    await clock.advance(5 * MINUTE)
    expect(() => provider.check()).toThrow(GONE)
  })
})

describe('discard', () => {
  test('makes the next token be signed with a new session, though the old one was fit', async () => {
    await sign()
    provider.discard()
    expect(provider.isFit()).toBe(false)
    expect(await sign()).toBe('ASIA2')
  })

  test('leaves nothing to fall back on', async () => {
    await sign()
    provider.discard()
    sts.failure = GONE
    await expect(provider.getForSigning()).rejects.toBe(GONE)
  })
})
