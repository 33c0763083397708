import { expect, test } from 'vitest'
import { createRefusalQueue } from '../../src/audit/refusal-queue.ts'
import { GOLDEN } from './golden.ts'
import { record } from './support.ts'

const at = (second: number) => record({ decision: 'refused', time: `2026-11-23T10:00:0${second}.000Z` })
const refusal = (line: string, { second = 0, isEntitled = false, count = 1 } = {}) => ({
  record: count > 1 ? { ...at(second), count } : at(second),
  line,
  isEntitled,
})

function takeAll(queue: ReturnType<typeof createRefusalQueue>): string[] {
  const taken: string[] = []
  while (queue.size() > 0) taken.push(...queue.take())
  return taken
}

test('the record that counts lost refusals has the bytes that it always had', () => {
  const queue = createRefusalQueue('host-1')
  for (let i = 0; i < 1000; i++) expect(queue.put(refusal(`${i}`))).toBe(true)
  expect([1, 2].map(second => queue.put(refusal('lost', { second })))).toEqual([false, false])
  const taken = takeAll(queue)
  expect(taken).toHaveLength(1001)
  const { id } = JSON.parse(taken.at(-1) ?? '')
  expect(taken.at(-1)?.replace(id, 'ID')).toBe(GOLDEN.lostLine)
})

test('createRefusalQueue returns what was put back before what came later', () => {
  const queue = createRefusalQueue(undefined)
  for (const line of ['a', 'b', 'c']) queue.put(refusal(line))
  const taken = queue.take()
  queue.put(refusal('d'))
  queue.put(refusal('e', { isEntitled: true }))
  queue.putBack(taken)
  expect(queue.size()).toBe(5)
  expect(queue.take()).toEqual(['a', 'b', 'c', 'e', 'd'])
})

test('createRefusalQueue keeps room for entitled principals, whatever others fill, and the other way round', () => {
  for (const isEntitled of [true, false]) {
    const queue = createRefusalQueue(undefined)
    for (let i = 0; i < 1500; i++) queue.put(refusal(`flood${i}`, { isEntitled }))
    expect(queue.put(refusal('other', { isEntitled: !isEntitled }))).toBe(true)
    const taken = takeAll(queue)
    expect(taken).toHaveLength(1002)
    expect(taken.indexOf('other')).toBe(isEntitled ? 1001 : 0)
  }
})

test('createRefusalQueue counts a lost counting record as all that it stands for', () => {
  const queue = createRefusalQueue(undefined)
  for (let i = 0; i < 1000; i++) queue.put(refusal('x', { isEntitled: true }))
  queue.put(refusal('lost', { isEntitled: true, count: 250 }))
  queue.put(refusal('lost', { isEntitled: true }))
  const counting = JSON.parse(takeAll(queue).at(-1) ?? '')
  expect(counting).toMatchObject({ code: 'not_recorded', count: 251 })
  expect(counting.reason).toBe('more of entitled principals than could be written')
})
