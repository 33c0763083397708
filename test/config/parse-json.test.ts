import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePlainJson } from '../../src/config/parse-json.ts'
import { parseConfigText } from '../../src/config/yaml/parse-yaml.ts'

test('parsePlainJson returns what the YAML parser returns, however the text is indented', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(0, 2, '\t'), (value, space) => {
      const text = JSON.stringify(value, null, space)
      const plain = parsePlainJson(text)
      if (plain === undefined) return
      expect(plain).toEqual(JSON.parse(text))
      if (space !== '\t') expect(parseConfigText(text)).toEqual(plain)
    }),
  )
})

test('parsePlainJson reads a configuration that a program wrote', () => {
  const config = { databases: { orders: { port: 5432, users: ['a', 'b "c" \\ d'] } }, grants: [] }
  expect(parsePlainJson(JSON.stringify(config, null, 2))).toEqual(config)
})

test.each([
  ['{"a":1,"a":2}', 'has a duplicate key'],
  ['{"claims":{"id":1.10}}', 'has a number that would not read back'],
  ['{"claims":{"id":12345678901234567890}}', 'has a number that is too large'],
  ['{"claims":{"id":1e5}}', 'has a number in another form'],
  ['{"a":-0}', 'has a zero with a sign'],
  ['{"a":"\\u0041"}', 'has an unneeded escape'],
  ['{"b":1,"1":2}', 'has a key that is a number'],
  ['a: 1', 'is YAML'],
  ['', 'is empty'],
])('parsePlainJson leaves %s to the YAML parser: it %s', text => {
  expect(parsePlainJson(text)).toBeUndefined()
})

test('parsePlainJson leaves JSON that is nested too deeply to the YAML parser', () => {
  expect(parsePlainJson(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toBeUndefined()
})
