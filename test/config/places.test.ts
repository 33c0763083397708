import { describe, expect, test } from 'vitest'
import { createPlaceFinder } from '../../src/config/places.ts'
import type { Segments } from '../../src/config/problems.ts'

const YAML = `server: { port: 1, tls: { cert: a } }
databases:
  orders:
    users: &users
      - app
      - 'x*'
    dbname:
grants:
  - name: a
    users: *users
  - {name: b, "users": [c]}
`

const placeIn =
  (text: string) =>
  (...path: Segments) => {
    const { line, column } = createPlaceFinder(text)(path)
    return `${line}:${column}`
  }

describe('a path stands', () => {
  const place = placeIn(YAML)

  test('at its value', () => {
    expect(place('server', 'port')).toBe('1:17')
    expect(place('databases', 'orders', 'users', 1)).toBe('6:9')
    expect(place('grants', 1, 'users', 0)).toBe('11:25')
  })

  test('at its key, if the value is a mapping, a list or empty', () => {
    expect(place('databases', 'orders')).toBe('3:3')
    expect(place('server', 'tls')).toBe('1:20')
    expect(place('databases', 'orders', 'users')).toBe('4:5')
    expect(place('databases', 'orders', 'dbname')).toBe('7:5')
  })

  test('at its key, if that is meant', () => {
    expect(createPlaceFinder(YAML)(['server', 'port'], true)).toEqual({ line: 1, column: 11 })
  })

  test('at an element of a list, where it begins', () => {
    expect(place('grants', 0)).toBe('9:5')
    expect(place('grants', 1)).toBe('11:5')
  })

  test('at the mapping that lacks it', () => {
    expect(place('databases', 'orders', 'host')).toBe('3:3')
    expect(place('grants', 1, 'principal', 'issuer')).toBe('11:5')
    expect(place('audit', 0)).toBe('1:1')
  })

  test('where an alias leads', () => {
    expect(place('grants', 0, 'users', 1)).toBe('6:9')
  })
})

test('a path stands at the same place in JSON, after a byte order mark and with CRLF', () => {
  const json = '{\r\n  "grants": [\r\n    {"name": "a.b", "a.b": 1}]}'
  expect(placeIn(json)('grants', 0, 'a.b')).toBe('3:28')
  expect(placeIn(`\ufeff${json}`)('grants')).toBe('2:3')
})

test('a text that is empty, or that no parser reads, has a place too', () => {
  expect(placeIn('')('grants')).toBe('1:1')
  expect(placeIn('['.repeat(50_000))('grants')).toBe('1:1')
})
