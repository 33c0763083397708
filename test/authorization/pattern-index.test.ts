import { expect, test } from 'vitest'
import { indexByPattern } from '../../src/authorization/pattern-index.ts'

type Item = Record<string, string[]>

/** Finds items by the texts at each of their paths, which have one name each. */
function search(items: readonly Item[], texts: Item): Item[] {
  const index = indexByPattern(items, item =>
    Object.entries(item).map(([name, patterns]) => ({ path: [name], patterns })),
  )
  return [...index.candidates(([name = '']) => texts[name] ?? [])]
}

test('a search finds those alone that are filed under its texts', () => {
  const items = Array.from({ length: 1000 }, (_, i) => ({ ref: ['main'], id: [`${i}`], env: ['production'] }))
  expect(search(items, { ref: ['main'], id: ['7'], env: ['production'] })).toEqual([items[7]])
  expect(search(items, { ref: ['main'], env: ['production'] })).toEqual([])
  expect(search(items, { id: ['7', '8', '7', 'x'] })).toEqual([items[7], items[8]])
})

test('a pattern with a wildcard is found by what stands before it', () => {
  const items = Array.from({ length: 1000 }, (_, i) => ({
    sub: [`repo:acme/app-${i}:**`],
    env: ['production'],
  }))
  expect(search(items, { sub: ['repo:acme/app-12:ref:main'], env: ['production'] })).toEqual([items[12]])
  expect(search(items, { sub: ['repo:acme/app-12'] })).toEqual([])
  expect(search([{ sub: ['*'] }, { sub: ['x*y', 'x**'] }], { sub: ['x', ''] })).toHaveLength(2)
})

test('each item is filed under what the fewest share, one by one', () => {
  const team = Array.from({ length: 100 }, () => ({ owner: ['acme'], ref: ['main'] }))
  const one = { owner: ['acme'], ref: ['v1'] }
  const other = { owner: ['other'], ref: ['main'] }
  const items = [...team, one, other]
  expect(search(items, { owner: ['acme'], ref: ['v1'] })).not.toContain(other)
  expect(search(items, { owner: ['other'], ref: ['main'] })).toEqual([other])
  expect(search(items, { ref: ['v1'] })).toEqual([one])
  // a beginning that is as rare as a text is met by more
  expect(search([{ ref: ['refs/*'], id: ['1'] }], { ref: ['refs/heads'] })).toEqual([])
})

test('every search finds what has no condition, and none what can never hold', () => {
  expect(search([{}, { a: [] }, { a: [], b: ['x'] }], { a: ['x'], b: ['x'] })).toEqual([{}])
  expect(search([{}, { a: [] }], {})).toEqual([{}])
  expect(search([], { a: ['x'] })).toEqual([])
})
