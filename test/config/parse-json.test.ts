import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePlainJson } from '../../src/config/parse-json.ts'
import { parseConfigText } from '../../src/config/parse-yaml.ts'

test('plain JSON means what it means as YAML, however it is set', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(0, 2, '\t'), (value, space) => {
      const text = JSON.stringify(value, null, space)
      const quick = parsePlainJson(text)
      if (quick === undefined) return
      expect(quick).toEqual(JSON.parse(text))
      if (space !== '\t') expect(parseConfigText(text)).toEqual(quick)
    }),
  )
})

test('a configuration of a machine is plain', () => {
  const config = { databases: { orders: { port: 5432, users: ['a', 'b "c" \\ d'] } }, grants: [] }
  expect(parsePlainJson(JSON.stringify(config, null, 2))).toEqual(config)
})

test.each([
  ['{"a":1,"a":2}', 'names a member twice'],
  ['{"claims":{"id":1.10}}', 'has a number that would not read back'],
  ['{"claims":{"id":12345678901234567890}}', 'has a number that is too large'],
  ['{"claims":{"id":1e5}}', 'has a number in another form'],
  ['{"a":-0}', 'has a zero with a sign'],
  ['{"a":"\\u0041"}', 'has an escape that need not be'],
  ['{"b":1,"1":2}', 'has a name that is a number'],
  ['a: 1', 'is YAML'],
  ['', 'is empty'],
])('%s is left to who reads it to the letter: it %s', text => {
  expect(parsePlainJson(text)).toBeUndefined()
})
