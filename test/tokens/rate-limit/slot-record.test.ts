import { describe, expect, test } from 'vitest'
import { decodeSlots, encodeSlots } from '../../../src/tokens/rate-limit/slot-record.ts'
import { type HeldSlot, MAX_PASSED, shortageOf } from '../../../src/tokens/rate-limit/slot-share.ts'
import { claimOf } from './support.ts'

const NOW = 1795428000000
const NEXT = NOW + 2000

const decode = (record: object) =>
  decodeSlots(Buffer.from(JSON.stringify({ v: 1, keepUntil: NEXT, next: NEXT, ...record })), {
    key: 'turns/r',
    now: NOW,
  })

test('a record has each slot with its owner, soonest first', () => {
  const held = ['a', 'b', 'a', 'c'].map((grant, i): HeldSlot => {
    return { at: NOW + 100 * (i + 1), owner: claimOf(grant, { subject: `${i % 3}` }).owner }
  })
  const key = { key: 'turns/r', now: NOW }
  expect(decodeSlots(encodeSlots({ next: NEXT, held }), key)).toEqual({ next: NEXT, held })
})

test('a record of 80 slots, each of another principal, has less than 2 KB', () => {
  const held = Array.from({ length: 80 }, (_, i): HeldSlot => {
    return { at: NOW + i * 65, owner: claimOf('orders', { subject: `${i}` }).owner }
  })
  expect(encodeSlots({ next: NOW + 80 * 65, held }).length).toBeLessThan(2048)
})

test('a record has all slots at the highest rate, and those that have passed, each of another grant', () => {
  const held = Array.from({ length: 97 + MAX_PASSED }, (_, i): HeldSlot => {
    return { at: NOW + i * 52, owner: claimOf(`grant-${i}`).owner }
  })
  const key = { key: 'turns/r', now: NOW }
  const next = NOW + held.length * 52
  expect(decodeSlots(encodeSlots({ next, held }), key).held).toEqual(held)
})

describe('what no instance can have written', () => {
  test.each([
    ['no list, as in older releases', undefined],
    ['null', null],
    ['a list of grants', [['orders', 100]]],
    ['a text', 'orders'],
    ['principals that are no object', { orders: [100], reports: 'x', other: null }],
    ['offsets that are no list', { orders: { app: 100, other: { 0: 100 }, more: null } }],
    ['offsets that are no time', { orders: { app: ['100', null, -100, 0, 0.5, true, {}] } }],
    ['names that are no hash', { ['x'.repeat(33)]: { app: [100] }, orders: { ['x'.repeat(33)]: [100] } }],
    ['more slots than there can be', { orders: { app: Array.from({ length: 161 }, (_, i) => i + 1) } }],
  ])('%s counts for nobody', (_name, held) => {
    expect(decode({ held })).toEqual({ next: NEXT, held: [] })
  })

  test('leaves what is right beside it', () => {
    expect(decode({ held: { orders: { app: [300, 'x', 100] }, reports: 7 } }).held).toEqual([
      { at: NEXT - 300, owner: { grant: 'orders', principal: 'app' } },
      { at: NEXT - 100, owner: { grant: 'orders', principal: 'app' } },
    ])
  })

  test('has no power over other grants, and none over its victim once its slots have passed', () => {
    const { owner } = claimOf('victim')
    const offsets = Array.from({ length: 128 }, (_, i) => i + 1)
    const use = decode({ held: { [owner.grant]: { [owner.principal]: offsets } } })
    const horizon = { horizonMs: 5000, spacingMs: 65, now: NOW }
    expect(shortageOf(claimOf('victim'), use, horizon)).toBe('grant')
    expect(shortageOf(claimOf('other'), use, horizon)).toBeUndefined()
    expect(shortageOf(claimOf('victim'), use, { ...horizon, now: NEXT })).toBeUndefined()
  })
})
