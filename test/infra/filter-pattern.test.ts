import { expect, test } from 'vitest'
import { filterPattern } from './filter-pattern.ts'

const line = JSON.stringify({ type: 'a', msg: 'the end (of it)', count: 3, cached: false, nothing: null })

test.each([
  ['{ $.type = "a" }', true],
  ['{ $.type = "b" }', false],
  ['{ $.type = "*" }', true],
  ['{ $.missing = "*" }', false],
  ['{ $.msg = "the end*" }', true],
  ['{ $.msg = "end*" }', false],
  ['{ $.msg = "the end (of it)" }', true],
  ['{ $.count > 2 }', true],
  ['{ $.count > 3 }', false],
  ['{ $.cached IS FALSE }', true],
  ['{ $.type NOT EXISTS }', false],
  ['{ $.missing NOT EXISTS && $.type = "a" }', true],
  ['{ $.missing = "*" && $.type = "a" || $.count > 1 }', true],
  ['{ $.type = "b" || $.type = "c" }', false],
])('filterPattern %s: %s', (pattern, matches) => {
  expect(filterPattern(pattern)(line)).toBe(matches)
})

test('filterPattern matches nothing that is not JSON, and throws on what it does not know', () => {
  expect(filterPattern('{ $.missing NOT EXISTS }')('START RequestId: 1')).toBe(false)
  expect(() => filterPattern('{ $.type != "a" }')).toThrow('is not a condition')
  expect(() => filterPattern('"the end"')).toThrow('is not a pattern')
})
