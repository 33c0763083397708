import { expect, test } from 'vitest'
import { createFairOrder, type FairOrder } from '../../../src/tokens/rate-limit/fair-order.ts'
import { claimOf } from './support.ts'

const waiter = (
  grant: string,
  subject: string,
  kind: 'newcomer' | 'renewal' | 'replacement' = 'newcomer',
) => ({
  name: `${grant}${subject}`,
  owner: claimOf(grant, { subject }).owner,
  hasPriority: kind === 'renewal',
  isReplacement: kind === 'replacement',
})

const namesOf = (order: FairOrder, waiters: ReturnType<typeof waiter>[]) =>
  order.sort(waiters).map(({ name }) => name)

test('grants get slots by turns, and principals of a grant too, each in order of arrival', () => {
  const waiters = [
    ...['1', '1', '1', '2'].map(subject => waiter('a', subject)),
    ...['3', '4'].map(subject => waiter('b', subject)),
  ]
  expect(namesOf(createFairOrder(), waiters)).toEqual(['a1', 'b3', 'a2', 'b4', 'a1', 'a1'])
})

test('the grant and the principal that had the last slot come last', () => {
  const order = createFairOrder()
  const waiters = [waiter('a', '1'), waiter('a', '2'), waiter('b', '3')]
  order.onServed(claimOf('a', { subject: '1' }).owner)
  expect(namesOf(order, waiters)).toEqual(['b3', 'a2', 'a1'])
  order.onServed(claimOf('b', { subject: '3' }).owner)
  expect(namesOf(order, waiters)).toEqual(['a2', 'b3', 'a1'])
})

test('renewals go before newcomers of their grant, not before those of others', () => {
  const waiters = [
    waiter('a', '1'),
    waiter('b', '2'),
    waiter('a', '3', 'renewal'),
    waiter('a', '4', 'renewal'),
  ]
  expect(namesOf(createFairOrder(), waiters)).toEqual(['a3', 'b2', 'a4', 'a1'])
})

test('tokens that replace refused ones come after all others, by turns', () => {
  const waiters = [
    waiter('a', '1', 'replacement'),
    waiter('a', '2', 'replacement'),
    waiter('b', '3', 'replacement'),
    waiter('b', '4'),
    waiter('a', '5'),
  ]
  expect(namesOf(createFairOrder(), waiters)).toEqual(['b4', 'a5', 'a1', 'b3', 'a2'])
})
