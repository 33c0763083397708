import { expect, test } from 'vitest'
import { createRefusalQueue } from '../../src/audit/refusal-queue.ts'
import { GOLDEN } from './golden.ts'
import { record } from './support.ts'

const at = (second: number) => record({ decision: 'refused', time: `2026-11-23T10:00:0${second}.000Z` })

test('the record that counts lost refusals has the bytes that it always had', () => {
  const queue = createRefusalQueue('host-1')
  for (let i = 0; i < 1000; i++) expect(queue.put(at(0), `${i}`)).toBe(true)
  expect([queue.put(at(1), 'lost'), queue.put(at(2), 'lost')]).toEqual([false, false])
  const taken: string[] = []
  while (queue.size() > 0) taken.push(...queue.take())
  expect(taken).toHaveLength(1001)
  const { id } = JSON.parse(taken.at(-1) ?? '')
  expect(taken.at(-1)?.replace(id, 'ID')).toBe(GOLDEN.lostLine)
})

test('createRefusalQueue returns what was put back before what came later', () => {
  const queue = createRefusalQueue(undefined)
  for (const line of ['a', 'b', 'c']) queue.put(at(0), line)
  const taken = queue.take()
  queue.put(at(0), 'd')
  queue.putBack(taken)
  expect(queue.take()).toEqual(['a', 'b', 'c', 'd'])
})
