import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseClientResponse } from '../../../../src/client/proxy/mysql/client-response.ts'
import { nameProgram } from '../../../../src/client/proxy/mysql/connect-attributes.ts'
import { SessionError } from '../../../../src/client/proxy/session-error.ts'
import { WireError } from '../../../../src/client/wire/wire-error.ts'
import {
  attributes,
  createFakeSession,
  type FakeSession,
  greeting,
  MYSQL_OFFERS,
  OK,
  packet,
  response,
  TOKEN,
} from './fake-session.ts'

const isExpected = (cause: unknown) => cause instanceof WireError || cause instanceof SessionError
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map(array => Buffer.from(array))

/** A message in which some bytes are others, and which may end early. */
const spoiled = (message: Buffer) =>
  fc
    .record({
      changes: fc.array(fc.tuple(fc.nat(message.length - 1), fc.nat(255)), { maxLength: 4 }),
      length: fc.oneof(fc.constant(message.length), fc.nat(message.length)),
    })
    .map(({ changes, length }) => {
      const copy = Buffer.from(message)
      for (const [at, byte] of changes) copy[at] = byte
      return copy.subarray(0, length)
    })

const PLAIN_RESPONSE = response({ password: 'x'.repeat(20), plugin: 'mysql_native_password' })
const FULL_RESPONSE = response({
  password: 'x'.repeat(32),
  database: 'audit',
  plugin: 'caching_sha2_password',
  attributes: attributes({ _client_name: 'libmysql', _pid: '7' }),
})
const ATTRIBUTES = Buffer.from(attributes({ _os: 'Linux', program_name: 'mysql' }), 'latin1')

/** What a session came to once both sides have said what they say and gone; fails if it hangs. */
async function outcome(session: FakeSession, act: () => void) {
  act()
  session.client.end()
  session.server.end()
  const result = await session.opened.catch(cause => ({ cause }))
  if (result && 'cause' in result) {
    expect(result.cause).toSatisfy(isExpected)
    const error = new SessionError('no', { failure: 'unavailable' })
    expect(session.encodeError(error).length).toBeGreaterThan(4)
  }
  session.server.take()
  expect(session.beforeTls().includes(TOKEN.token)).toBe(false)
  expect(session.client.take().includes(TOKEN.token)).toBe(false)
  return result
}

describe('hostile bytes end in an error of the protocol, and show nobody the token', () => {
  test('of a server’s greeting, and after it', async () => {
    const first = fc.oneof(
      bytes(80),
      spoiled(packet(0, greeting())),
      spoiled(packet(0, greeting({ version: '5.5.5-10.11.19-MariaDB', capabilities: MYSQL_OFFERS & ~1 }))),
      spoiled(packet(0, '\xff\x10\x04Too many connections')),
    )
    await fc.assert(
      fc.asyncProperty(first, bytes(40), async (greetingBytes, after) => {
        const session = createFakeSession()
        await outcome(session, () => {
          session.server.send(greetingBytes, after)
          session.client.send(packet(1, PLAIN_RESPONSE))
        })
      }),
      { numRuns: 300 },
    )
  })

  test('of a server’s answer to the login', async () => {
    const answers = fc.array(
      fc.oneof(
        bytes(40),
        fc
          .constantFrom(OK, '\xfemysql_clear_password\0', '\xfe', '\xfb', '\x01\x04')
          .map(text => packet(3, text)),
        bytes(30).map(payload => packet(3, payload)),
        spoiled(packet(3, "\xff\x15\x04#28000Access denied for user 'app_ro'")),
        fc.constant(packet(3, `\xff\x15\x04#28000${TOKEN.token}`)),
      ),
      { maxLength: 4 },
    )
    await fc.assert(
      fc.asyncProperty(answers, async pieces => {
        const session = createFakeSession()
        session.server.send(packet(0, greeting()))
        await expect.poll(() => session.client.take().length, { interval: 0 }).toBeGreaterThan(0)
        session.client.send(packet(1, PLAIN_RESPONSE))
        await expect.poll(() => session.beforeTls().length, { interval: 0 }).toBeGreaterThan(0)
        await outcome(session, () => session.server.send(...pieces))
      }),
      { numRuns: 80 },
    )
  })

  test('of a client', async () => {
    const said = fc.array(
      fc.oneof(bytes(80), spoiled(packet(1, PLAIN_RESPONSE)), spoiled(packet(1, FULL_RESPONSE))),
      { maxLength: 3 },
    )
    await fc.assert(
      fc.asyncProperty(said, async pieces => {
        const session = createFakeSession()
        await outcome(session, () => {
          session.server.send(packet(0, greeting()))
          session.client.send(...pieces)
        })
      }),
      { numRuns: 300 },
    )
  })
})

describe('parsers stay within what they are given', () => {
  test('a client’s response: what it reads is in it', () => {
    fc.assert(
      fc.property(fc.oneof(bytes(120), spoiled(FULL_RESPONSE), spoiled(PLAIN_RESPONSE)), payload => {
        try {
          const { head, database, plugin, attributes: own } = parseClientResponse(payload)
          expect(head).toEqual(payload.subarray(0, 32))
          for (const part of [database, own, Buffer.from(plugin, 'latin1')])
            if (part) expect(payload.includes(part)).toBe(true)
        } catch (cause) {
          expect(cause).toSatisfy(isExpected)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('attributes: whatever is there stays, byte for byte', () => {
    fc.assert(
      fc.property(fc.oneof(bytes(300), spoiled(ATTRIBUTES), fc.constant(undefined)), own => {
        const named = nameProgram(own, 'repo:acme/app')
        const added = attributes({ program_name: 'repo:acme/app' })
        if (named !== own) expect(named).toEqual(Buffer.concat([own ?? Buffer.alloc(0), Buffer.from(added)]))
      }),
      { numRuns: 1000 },
    )
  })

  test('attributes never grow beyond what a server takes', () => {
    const own = Buffer.concat([Buffer.from([1, 0x61, 0xfc, 0xf0, 0xff]), Buffer.alloc(0xfff0, 'v')])
    expect(nameProgram(own, 'repo:acme/app')).toBe(own)
    expect(nameProgram(own.subarray(0, 0), 'repo:acme/app')).toHaveLength(27)
  })
})

test('it makes no difference where the bytes are split', async () => {
  const serverGreeting = packet(0, greeting())
  const clientSays = Buffer.concat([packet(1, FULL_RESPONSE), packet(3, 'x'.repeat(32))])
  const serverSays = Buffer.concat([packet(3, '\xfemysql_clear_password\0'), packet(5, OK)])

  async function converse(split: (message: Buffer) => Buffer[]) {
    const session = createFakeSession({ callerName: 'repo:acme/app' })
    session.server.send(...split(serverGreeting))
    session.client.send(...split(clientSays))
    await expect.poll(() => session.beforeTls().length, { interval: 0 }).toBe(36)
    session.server.send(...split(serverSays))
    const link = await session.opened
    return Buffer.concat([session.beforeTls(), session.client.take(), link?.toClient ?? Buffer.alloc(0)])
  }
  const whole = await converse(message => [message])
  expect(whole.subarray(-11)).toEqual(packet(5, OK))
  expect(await converse(message => Array.from(message, byte => Buffer.from([byte])))).toEqual(whole)
  for (let at = 1; at < clientSays.length; at++)
    expect(
      await converse(message =>
        [message.subarray(0, at), message.subarray(at)].filter(piece => piece.length > 0),
      ),
    ).toEqual(whole)
})
