import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matches } from '../../../src/iam/lint/wildcard.ts'

test('matches agrees with the same pattern as a regular expression', () => {
  const letters = (...all: string[]) =>
    fc.array(fc.constantFrom(...all), { maxLength: 8 }).map(list => list.join(''))
  fc.assert(
    fc.property(letters('a', 'b', '*', '?', '.'), letters('a', 'b', '.', '\n'), (pattern, text) => {
      const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')
      expect(matches(pattern, text)).toBe(new RegExp(`^${source}$`, 's').test(text))
    }),
    { numRuns: 1000 },
  )
})

test('matches takes UNKNOWN and variables for anything', () => {
  expect(matches('a\0c', 'abbc')).toBe(true)
  expect(matches(`a\${aws:username}c`, 'abbc')).toBe(true)
  expect(matches(`a\${aws:username}c`, 'abbd')).toBe(false)
})

test('matches takes no longer for many stars than for the product of both lengths', () => {
  expect(matches(`${'*a'.repeat(2000)}b`, 'a'.repeat(4000))).toBe(false)
})
