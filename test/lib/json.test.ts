import { expect, test } from 'vitest'
import { canonicalJson, isJsonObject, measureJson, parseJson, parseJsonObject } from '../../src/lib/json.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

test.each([
  ['{"a":[1,"é",null]}', { a: [1, 'é', null] }],
  ['[]', []],
  ['0', 0],
  ['null', null],
  ['""', ''],
])('parseJson reads %s, as text and as bytes', (text, value) => {
  expect([parseJson(text), parseJson(bytes(text)), parseJson(Buffer.from(text))]).toEqual([
    value,
    value,
    value,
  ])
})

test.each(['', 'nonsense', '{"a":1', '{"a":1}{', '{a:1}', 'undefined'])(
  'parseJson returns undefined for %j',
  text => {
    expect([parseJson(text), parseJson(bytes(text))]).toEqual([undefined, undefined])
  },
)

test('parseJson returns undefined for bytes that are not UTF-8', () => {
  const latin1 = Buffer.from('{"a":"\xe9"}', 'latin1')
  expect(parseJson(latin1)).toBeUndefined()
  expect(parseJson(bytes('{"a":"é"}').subarray(0, -3))).toBeUndefined()
})

test('parseJson passes over a byte order mark', () => {
  expect(parseJson(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes('{"a":1}')]))).toEqual({ a: 1 })
})

test('parseJson keeps a member called __proto__ a member', () => {
  const value = parseJson('{"__proto__":{"isAdmin":true}}')
  expect(Object.keys(value as object)).toEqual(['__proto__'])
  expect((value as { isAdmin?: unknown }).isAdmin).toBeUndefined()
})

test.each(['[]', '[{"a":1}]', 'null', '"text"', '7', 'true', 'nonsense', ''])(
  'parseJsonObject returns undefined for %j',
  text => {
    expect([parseJsonObject(text), parseJsonObject(bytes(text))]).toEqual([undefined, undefined])
  },
)

test('parseJsonObject returns the members of an object', () => {
  expect(parseJsonObject('{"a":1,"b":{}}')).toEqual({ a: 1, b: {} })
  expect(parseJsonObject(bytes('{}'))).toEqual({})
})

test.each([
  [{}, true],
  [{ a: 1 }, true],
  [[], false],
  [null, false],
  [undefined, false],
  ['{}', false],
  [1, false],
])('isJsonObject of %j is %s', (value, is) => {
  expect(isJsonObject(value)).toBe(is)
})

test('canonicalJson returns equal text for equal values, however their keys are ordered', () => {
  const one = { b: [{ d: 1, c: 2 }], a: { z: null, y: 'é' } }
  const other = { a: { y: 'é', z: null }, b: [{ c: 2, d: 1 }] }
  expect(canonicalJson(one)).toBe('{"a":{"y":"é","z":null},"b":[{"c":2,"d":1}]}')
  expect(canonicalJson(other)).toBe(canonicalJson(one))
})

test('canonicalJson keeps the order of lists, and leaves out members that are undefined', () => {
  expect(canonicalJson([2, 1])).toBe('[2,1]')
  expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}')
})

test('measureJson counts values and levels', () => {
  expect(measureJson(7)).toEqual({ values: 1, depth: 1 })
  expect(measureJson(null)).toEqual({ values: 1, depth: 1 })
  expect(measureJson([])).toEqual({ values: 1, depth: 1 })
  expect(measureJson({ a: 1, b: [2, { c: null }] })).toEqual({ values: 6, depth: 4 })
  expect(measureJson(parseJson('{"__proto__":{"a":1}}'))).toEqual({ values: 3, depth: 3 })
})

test('measureJson overflows at no depth and no width', () => {
  const levels = 100_000
  expect(measureJson(parseJson('['.repeat(levels) + ']'.repeat(levels)))).toEqual({
    values: levels,
    depth: levels,
  })
  expect(measureJson(Array(300_000).fill(1))).toEqual({ values: 300_001, depth: 2 })
})
