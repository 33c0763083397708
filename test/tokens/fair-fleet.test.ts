import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { createInstance, during, type Instance, KEY, MINUTE, ownerOf, principalKeys } from './instances.ts'

let clock: VirtualClock
let store: Store
let instance: Instance

beforeEach(() => {
  clock = virtualClock()
  store = createMemoryStore(clock)
  instance = createInstance({ store, clock })
})

const AGGRESSOR = ownerOf(KEY, 'aggressor')
const NEWCOMER = ownerOf(KEY, 'newcomer')

/** Fills the share of a grant: as many keys of its principals as are refused in the end. */
async function fillShare(grant: string): Promise<void> {
  for (const key of principalKeys(60)) instance.get({ key, owner: ownerOf(key, grant) }).catch(() => {})
  await clock.advance(0)
}

describe('a token that grants share', () => {
  test('is minted for a caller that joined a request whose grant has its share', async () => {
    await fillShare('aggressor')
    const refused = instance.get({ owner: AGGRESSOR })
    const joined = instance.get({ owner: NEWCOMER })
    await expect(refused).rejects.toMatchObject({
      code: 'throttled',
      reason: expect.stringContaining('the grant has its share'),
    })
    expect((await during(clock, joined)).cached).toBe(false)
  })

  test('is refused to each caller for its own share, with its own time to come back', async () => {
    await fillShare('aggressor')
    await fillShare('newcomer')
    const [refused, joined] = await Promise.allSettled([
      instance.get({ owner: AGGRESSOR }),
      instance.get({ owner: NEWCOMER }),
    ])
    for (const outcome of [refused, joined])
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'throttled' } })
    const [own, other] = [refused, joined].map(
      outcome => outcome.status === 'rejected' && outcome.reason.retryAfterMs,
    )
    expect(own).not.toBe(other)
  })

  test('is minted anew for a minimum from the share of who names it, and of nobody else', async () => {
    await during(clock, instance.get())
    await clock.advance(2 * MINUTE)
    await fillShare('aggressor')
    const longest = { minimumMs: 840_000 }
    const refused = instance.get({ owner: AGGRESSOR, ...longest })
    const joined = instance.get({ owner: NEWCOMER, ...longest })
    await expect(refused).rejects.toMatchObject({ code: 'throttled' })
    expect((await during(clock, joined)).cached).toBe(false)
  })

  test('stays in use for others while one caller reports it as refused, again and again', async () => {
    const { token } = await instance.get()
    const { fingerprint: rejectedFingerprint } = token
    const fresh = createInstance({ store, clock })
    const reporting = fresh.get({ owner: AGGRESSOR, rejectedFingerprint })
    const joined = fresh.get({ owner: NEWCOMER })
    await expect(reporting).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 10_000 })
    expect((await joined).token.text).toBe(token.text)
  })
})

test('callers that have to come back cost neither a write nor a call to AWS', async () => {
  await fillShare('aggressor')
  await clock.advance(10)
  const before = { ...instance.calls, assumed: instance.assumed.length }
  const late = principalKeys(560).slice(60)
  const outcomes = late.map(key =>
    instance.get({ key, owner: ownerOf(key, 'aggressor') }).catch(cause => cause.code),
  )
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['throttled']))
  expect([instance.calls.swap, instance.assumed.length]).toEqual([before.swap, before.assumed])
})

test('STS is called for a token only once it has a slot', async () => {
  const fleet = [instance, createInstance({ store, clock }), createInstance({ store, clock })]
  for (const one of fleet) one.sts.delayMs = 100
  let served = 0
  for (const [i, key] of principalKeys(1000).entries())
    (fleet[i % 3] as Instance).get({ key, owner: ownerOf(key, 'aggressor') }).then(
      () => served++,
      () => {},
    )
  await clock.advance(6000)
  expect(served).toBeGreaterThan(30)
  expect(fleet.reduce((sum, { assumed }) => sum + assumed.length, 0)).toBe(served)
})
