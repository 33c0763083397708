import { describe, expect, test } from 'vitest'
import {
  type HeldSlot,
  reachMs,
  type SlotClaim,
  shortageOf,
  slotsThatCount,
  WEIGHT,
} from '../../../src/tokens/rate-limit/slot-share.ts'
import { claimOf } from './support.ts'

/** 80 slots within 5 s. */
const HORIZON = { horizonMs: 5000, spacingMs: 62.6, now: 1_000_000 }

/** Lets claims hold slots by turns until none may hold another; returns how many each has. */
function fillUp(claims: readonly SlotClaim[], { spacingMs } = HORIZON): number[] {
  const held: HeldSlot[] = []
  const counts = claims.map(() => 0)
  for (let isOver = false; !isOver; ) {
    isOver = true
    for (const [i, claim] of claims.entries()) {
      const use = { held, next: HORIZON.now + held.length * spacingMs }
      if (shortageOf(claim, use, { ...HORIZON, spacingMs })) continue
      // the first slot is the next but one, so that none has passed
      held.push({ at: use.next + spacingMs, owner: claim.owner })
      counts[i] = (counts[i] ?? 0) + 1
      isOver = false
    }
  }
  return counts
}

/** Each of another principal of a grant. */
const principals = (grant: string, count: number, weight: number = WEIGHT.newcomer) =>
  Array.from({ length: count }, (_, i) => claimOf(grant, { subject: `${i}`, weight }))

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

describe('the share of a grant', () => {
  test.each([
    [1, 40],
    [2, 27],
    [3, 20],
    [9, 8],
  ])('if there are %i is as much as each other has, and as what is free', (grants, share) => {
    const names = Array.from({ length: grants }, (_, i) => `grant-${i}`)
    const claims = Array.from({ length: 100 }, (_, i) =>
      names.map(grant => claimOf(grant, { subject: `${i}` })),
    )
    const counts = fillUp(claims.flat())
    expect(names.map((_, i) => sum(counts.filter((_count, index) => index % grants === i)))).toEqual(
      names.map(() => share),
    )
  })

  test('leaves something free for the next grant, however many there are', () => {
    const counts = fillUp(Array.from({ length: 300 }, (_, i) => claimOf(`grant-${i}`)))
    expect(counts.filter(count => count === 1)).toHaveLength(80)
    const full = Array.from({ length: 40 }, (_, i): HeldSlot => {
      return { at: HORIZON.now + 1 + i, owner: claimOf('aggressor', { subject: `${i}` }).owner }
    })
    const use = { held: full, next: HORIZON.now + 40 * HORIZON.spacingMs }
    expect(shortageOf(claimOf('aggressor', { subject: 'another' }), use, HORIZON)).toBe('grant')
    expect(shortageOf(claimOf('newcomer'), use, HORIZON)).toBeUndefined()
  })

  test('does not depend on slots that have passed', () => {
    const held = Array.from({ length: 79 }, (_, i): HeldSlot => {
      return { at: HORIZON.now - i, owner: claimOf('orders').owner }
    }).reverse()
    expect(shortageOf(claimOf('orders'), { held, next: HORIZON.now + 50 }, HORIZON)).toBeUndefined()
  })

  test.each([
    ['renewals', WEIGHT.renewal, 54],
    ['newcomers', WEIGHT.newcomer, 40],
    ['newcomers without a promise', WEIGHT.newcomerWithoutPromise, 27],
    ['tokens that replace refused ones', WEIGHT.replacement, 16],
  ])('is smaller for what matters less: %s', (_name, weight, share) => {
    expect(sum(fillUp(principals('orders', 100, weight)))).toBe(share)
  })
})

describe('the share of a principal', () => {
  test('is half of what its grant may have, so that something is left for other principals', () => {
    expect(fillUp([claimOf('orders')])).toEqual([27])
    expect(fillUp([claimOf('orders'), claimOf('orders', { subject: 'other' })])).toEqual([16, 16])
  })

  test('is named if it is full although the grant has room', () => {
    const { owner } = claimOf('orders')
    const held = Array.from({ length: 27 }, (_, i): HeldSlot => ({ at: HORIZON.now + 1 + i, owner }))
    const use = { held, next: HORIZON.now + 27 * HORIZON.spacingMs }
    expect(shortageOf(claimOf('orders'), use, HORIZON)).toBe('principal')
    expect(shortageOf(claimOf('orders', { subject: 'other' }), use, HORIZON)).toBeUndefined()
    expect(shortageOf(claimOf('orders', { weight: WEIGHT.replacement }), use, HORIZON)).toBe('replacement')
  })
})

test('a claim has no slot beyond the horizon', () => {
  const use = { held: [], next: HORIZON.now + 5001 }
  expect(shortageOf(claimOf('orders'), use, HORIZON)).toBe('slots')
})

describe('slots that are further apart than the horizon', () => {
  const horizon = { ...HORIZON, spacingMs: 10_400 }
  const held: HeldSlot[] = [{ at: HORIZON.now - 5400, owner: claimOf('orders').owner }]
  const useIn = (ms: number) => ({ held, next: HORIZON.now + ms })

  test('are reserved by others before the grant that had the last one', () => {
    expect(shortageOf(claimOf('orders'), useIn(5000), horizon)).toBe('grant')
    expect(shortageOf(claimOf('orders', { subject: 'other' }), useIn(2501), horizon)).toBe('grant')
    expect(shortageOf(claimOf('reports'), useIn(5000), horizon)).toBeUndefined()
  })

  test('are reserved by the same grant if nobody else has come', () => {
    expect(shortageOf(claimOf('orders'), useIn(2500), horizon)).toBeUndefined()
  })
  test('are reserved first by the grant that has waited longest', () => {
    const { now } = HORIZON
    const slots: HeldSlot[] = ['third', 'second', 'last'].map((grant, i) => ({
      at: now - 26_200 + i * 10_400,
      owner: claimOf(grant).owner,
    }))
    const reach = (grant: string) => reachMs(claimOf(grant), { held: slots, next: now + 5000 }, horizon)
    expect(['last', 'second', 'third', 'newcomer'].map(reach)).toEqual([2500, 3500, 3929, 5000].map(about))
  })
})

test('of the slots that have passed, the latest of each grant is kept, for 40 grants at most', () => {
  const { now } = HORIZON
  const slotOf = (grant: string, at: number): HeldSlot => ({ at, owner: claimOf(grant).owner })
  const [old, latest] = [slotOf('orders', now - 300), slotOf('orders', now - 100)]
  const ahead = [slotOf('orders', now + 100), slotOf('orders', now + 200)]
  expect(slotsThatCount([old, slotOf('reports', now - 200), latest, ...ahead], now)).toEqual([
    slotOf('reports', now - 200),
    latest,
    ...ahead,
  ])
  const many = Array.from({ length: 60 }, (_, i) => slotOf(`${i}`, now - 1000 + i))
  expect(slotsThatCount(many, now)).toEqual(many.slice(20))
})

const about = (value: number) => expect.closeTo(value, -1)
