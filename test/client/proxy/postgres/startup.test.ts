import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  encodeStartup,
  parseStartup,
  type StartupChanges,
} from '../../../../src/client/proxy/postgres/startup.ts'
import { FIRST_MESSAGE } from '../../../../src/client/wire/postgres-messages.ts'
import { startupMessage } from './messages.ts'

const CHANGES: StartupChanges = { user: 'app_rw', dbname: undefined, callerName: undefined }
const V3 = FIRST_MESSAGE.protocol3

const parse = (message: Buffer) => parseStartup(message.readInt32BE(4), message.subarray(8))
/** What the server gets of a client's texts. */
const rewrite = (texts: string[], wishes: Partial<StartupChanges> = {}) =>
  encodeStartup(parse(startupMessage(texts)), { ...CHANGES, ...wishes })

describe('the user', () => {
  test.each([
    [
      'is replaced in its place',
      ['options', '-c x=y', 'user', 'me', 'a', 'b'],
      ['options', '-c x=y', 'user', 'app_rw', 'a', 'b'],
    ],
    [
      'is replaced as often as it comes',
      ['user', 'me', 'user', 'root'],
      ['user', 'app_rw', 'user', 'app_rw'],
    ],
    ['is put first if the client names none', ['database', 'x'], ['user', 'app_rw', 'database', 'x']],
    ['is not looked for in another case', ['User', 'me'], ['user', 'app_rw', 'User', 'me']],
    ['is not looked for among values', ['a', 'user', 'user', 'me'], ['a', 'user', 'user', 'app_rw']],
  ])('%s', (_, sent, got) => {
    expect(rewrite(sent)).toEqual(startupMessage(got))
  })

  test('is in UTF-8, whatever the client writes in', () => {
    const got = rewrite(['user', 'me', 'database', 'caf\xe9'], { user: 'größe' })
    expect(got.includes(Buffer.from('user\0größe\0database\0caf\xe9\0', 'utf8'))).toBe(false)
    expect(got.toString('latin1')).toContain(
      `user\0${Buffer.from('größe').toString('latin1')}\0database\0caf\xe9\0`,
    )
  })
})

describe('the database', () => {
  test.each([
    ['is the client’s', ['user', 'me', 'database', 'x'], 'orders', ['user', 'app_rw', 'database', 'x']],
    [
      'is the configured one if the client names none',
      ['user', 'me'],
      'orders',
      ['user', 'app_rw', 'database', 'orders'],
    ],
    [
      'is the configured one if the client names an empty one',
      ['database', '', 'user', 'me'],
      'orders',
      ['database', '', 'user', 'app_rw', 'database', 'orders'],
    ],
    [
      'is the last of several',
      ['user', 'me', 'database', '', 'database', 'x'],
      'orders',
      ['user', 'app_rw', 'database', '', 'database', 'x'],
    ],
    ['is left to the server if nobody names one', ['user', 'me'], undefined, ['user', 'app_rw']],
  ])('%s', (_, sent, dbname, got) => {
    expect(rewrite(sent, { dbname })).toEqual(startupMessage(got))
  })
})

describe('the name of the application', () => {
  test('is the caller’s, behind all else', () => {
    expect(rewrite(['user', 'me', 'a', 'b'], { callerName: 'repo:acme/orders', dbname: 'orders' })).toEqual(
      startupMessage([
        'user',
        'app_rw',
        'a',
        'b',
        'database',
        'orders',
        'application_name',
        'repo:acme/orders',
      ]),
    )
  })

  test.each([
    ['application_name', 'psql'],
    ['application_name', ''],
    ['Application_Name', 'psql'],
    ['options', '-c application_name=etl'],
    ['options', '-c statement_timeout=5 --application-name=etl'],
    ['options', '-capplication_name=etl'],
    ['options', '-c\tApplication_Name=etl'],
    ['options', '-c application\\_name=etl'],
  ])('is the program’s if it says so by %s=%s', (name, value) => {
    const texts = ['user', 'app_rw', name, value]
    expect(rewrite(texts, { callerName: 'repo:acme/orders' })).toEqual(startupMessage(texts))
  })

  test.each([
    ['options', '-c search_path=application_name'],
    ['options', '-c my.application_name=x'],
    ['my.application_name', 'x'],
  ])('is not said by %s=%s', (name, value) => {
    const texts = ['user', 'app_rw', name, value]
    expect(rewrite(texts, { callerName: 'repo:acme/orders' })).toEqual(
      startupMessage([...texts, 'application_name', 'repo:acme/orders']),
    )
  })
})

describe('replication', () => {
  test.each(['true', 'database', '1', 'on', 'yes', 'o', '', 'False ', 'nope'])('%j is refused', value => {
    expect(() => parse(startupMessage(['user', 'me', 'replication', value]))).toThrow(
      'there is no replication: RDS refuses it to whoever logs in with a token',
    )
  })
  test.each(['false', '0', 'off', 'no', 'F', 'fa', 'OFF', 'of', 'n'])('%j is none', value => {
    const texts = ['user', 'app_rw', 'replication', value]
    expect(rewrite(texts)).toEqual(startupMessage(texts))
  })
  test('is refused however often it is denied', () => {
    expect(() => parse(startupMessage(['replication', 'true', 'replication', 'false']))).toThrow(
      'no replication',
    )
  })
})

test.each([
  ['nothing at all', ''],
  ['no zero at the end', 'user\0me\0x'],
  ['no zero after the last', 'user\0me\0'],
  ['a name without a value', 'user\0me\0database\0\0'],
  ['bytes after the end', 'user\0me\0\0\0'],
  ['an end in the middle', 'user\0me\0\0x\0y\0\0'],
])('%s is refused, as PostgreSQL does', (_, body) => {
  expect(() => parseStartup(V3, Buffer.from(body, 'latin1'))).toThrow('invalid startup packet layout')
})

test('an empty list is one', () => {
  expect(parseStartup(V3, Buffer.from([0]))).toEqual({ version: V3, parameters: [] })
})

const text = fc
  .array(fc.integer({ min: 1, max: 255 }), { maxLength: 12 })
  .map(bytes => Buffer.from(bytes).toString('latin1'))
const pairs = fc.array(fc.tuple(text.filter(Boolean), text))

test('whatever else a client sends comes through byte for byte, in its order and version', () => {
  fc.assert(
    fc.property(pairs, fc.integer({ min: 0, max: 0xffff }), (list, minor) => {
      const texts = [
        ...list.filter(([name]) => name !== 'replication' && name !== 'user').flat(),
        'user',
        'app_rw',
      ]
      const message = startupMessage(texts, V3 | minor)
      expect(encodeStartup(parse(message), CHANGES)).toEqual(message)
    }),
  )
})

test('no bytes make it fail in another way, or come out longer than what was added', () => {
  const texts = fc.array(fc.oneof(text, fc.constantFrom('user', 'database', 'replication', 'options')))
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)),
    texts.map(list => startupMessage(list).subarray(8)),
    texts.map(list => Buffer.from(list.join('\0'), 'latin1')),
  )
  fc.assert(
    fc.property(bodies, body => {
      try {
        const { length } = encodeStartup(parseStartup(V3, body), {
          user: 'u',
          dbname: 'd',
          callerName: 'c',
        })
        const most =
          'user\0u\0database\0d\0application_name\0c\0'.length + body.filter((_, at) => at % 5 === 0).length
        expect(length).toBeLessThanOrEqual(8 + body.length + most)
      } catch (cause) {
        expect(cause).toMatchObject({ name: 'SessionError', failure: 'unsupported' })
      }
    }),
  )
})
