import { LRUCache } from 'lru-cache'
import { expect, test } from 'vitest'
import { distinct, getOrCreate, groupBy } from '../../src/lib/maps.ts'

test.each([
  ['a Map', () => new Map<string, object>()],
  ['an LRU cache', () => new LRUCache<string, object>({ max: 2 })],
])('getOrCreate creates the value of a key once, in %s', (_what, newMap) => {
  const map = newMap()
  let created = 0
  const get = (key: string) => getOrCreate(map, { key, create: () => ({ number: ++created }) })
  const first = get('a')
  expect(get('a')).toBe(first)
  expect(map.get('a')).toBe(first)
  expect(get('b')).not.toBe(first)
  expect(created).toBe(2)
})

test('getOrCreate keeps values of objects in a WeakMap', () => {
  const map = new WeakMap<object, number[]>()
  const key = {}
  const value = getOrCreate(map, { key, create: () => [] })
  expect(getOrCreate(map, { key, create: () => [1] })).toBe(value)
})

test('getOrCreate takes 0 and empty text for values', () => {
  expect(getOrCreate(new Map([['a', 0]]), { key: 'a', create: () => 1 })).toBe(0)
  expect(getOrCreate(new Map([['a', '']]), { key: 'a', create: () => 'b' })).toBe('')
})

test('groupBy keeps the order of groups and of what is in them', () => {
  const groups = groupBy(['bb', 'a', 'cc', 'd', 'e'], ({ length }) => length)
  expect([...groups]).toEqual([
    [2, ['bb', 'cc']],
    [1, ['a', 'd', 'e']],
  ])
  expect(groupBy([], String).size).toBe(0)
})

test('distinct returns each value once, in the order of their first appearance', () => {
  expect(distinct(['b', 'a', 'b', undefined, 'a', undefined])).toEqual(['b', 'a', undefined])
})

test('distinct compares objects by their keys', () => {
  expect(distinct([{ id: 1 }, { id: 2 }, { id: 1 }], ({ id }) => id)).toEqual([{ id: 1 }, { id: 2 }])
  expect(distinct([{ id: 1 }, { id: 1 }])).toHaveLength(2)
})
