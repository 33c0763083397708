import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { isTokenRefused } from '../../../../src/client/login-probe/find-refusal.ts'
import { SessionError, type SessionFailure } from '../../../../src/client/proxy/session-error.ts'
import { CAPABILITY } from '../../../../src/client/wire/mysql-packets.ts'
import { WireError } from '../../../../src/client/wire/wire-error.ts'
import {
  attributes,
  createFakeSession,
  type FakeSession,
  type GreetingOptions,
  greeting,
  MYSQL_OFFERS,
  OK,
  packet,
  type ResponseOptions,
  response,
  TOKEN,
} from './fake-session.ts'

const PASSWORD = Buffer.from(`${TOKEN.token}\0`)
const FLAGS = CAPABILITY.protocol41 | CAPABILITY.secureConnection | CAPABILITY.lengthEncodedAuth
const SWITCH_TO_NATIVE = '\xfemysql_native_password\0'
const ASK_FOR_TOKEN = '\xfemysql_clear_password\0'

const SOON = { interval: 1 }

const written = async (take: () => Buffer) => {
  let bytes = Buffer.alloc(0)
  await expect
    .poll(() => {
      bytes = Buffer.concat([bytes, take()])
      return bytes.length
    }, SOON)
    .toBeGreaterThan(0)
  return bytes
}

/** Plays until the proxy has sent its response to the server, and returns what it sent before and within TLS. */
async function logInAtFake(
  options: { server?: GreetingOptions; client?: ResponseOptions } & Parameters<
    typeof createFakeSession
  >[0] = {},
) {
  const session = createFakeSession(options)
  session.server.send(packet(0, greeting(options.server)))
  const greeted = await written(session.client.take)
  session.client.send(packet(1, response(options.client)))
  await expect.poll(() => session.beforeTls().length, SOON).toBeGreaterThan(0)
  const sent = await written(session.server.take)
  return { ...session, greeted, sent, flags: sent.readUInt32LE(4) }
}

/** Plays until the server has asked for the token, and got it. */
async function askForToken(session: FakeSession): Promise<void> {
  session.server.send(packet(3, ASK_FOR_TOKEN))
  expect(await written(session.server.take)).toEqual(packet(4, PASSWORD))
}

const flagsOfGreeting = (bytes: Buffer) => {
  const at = bytes.indexOf(0, 5) + 1 + 4 + 8 + 1
  return (bytes.readUInt16LE(at) | (bytes.readUInt16LE(at + 5) << 16)) >>> 0
}

describe('the greeting of a client', () => {
  test('is the server’s, without TLS, compression and a second factor, and with another scramble', async () => {
    const options = {
      version: '5.5.5-10.11.19-MariaDB',
      capabilities: 0xfffe | (0xbfff << 16),
      extended: 0x1d,
    }
    const { greeted } = await logInAtFake({ server: options })
    const text = greeted.toString('latin1')
    expect(text).toMatch(/^.\0\0\0\n5\.5\.5-10\.11\.19-MariaDB\0M\0\0\0/s)
    expect(flagsOfGreeting(greeted)).toBe((options.capabilities & ~0x1400_0820) >>> 0)
    const tail = greeted.subarray(greeted.indexOf('M\0\0\0') + 13)
    expect(tail.subarray(2, 5)).toEqual(Buffer.from([45, 2, 0]))
    expect(tail.subarray(7, 18)).toEqual(Buffer.from([21, 0, 0, 0, 0, 0, 0, 0x1d, 0, 0, 0]))
    expect(text.endsWith('\0mysql_native_password\0')).toBe(true)
    const scramble = Buffer.concat([
      greeted.subarray(-tail.length - 9, -tail.length - 1),
      tail.subarray(18, 30),
    ])
    expect(scramble.includes(0)).toBe(false)
    expect(text).not.toContain('scramble')
    expect(text).not.toContain('of a server')
  })

  test('is the server’s refusal, if it refuses, with the SQLSTATE that some clients expect', async () => {
    const { server, opened, encodeError } = createFakeSession()
    server.send(packet(0, '\xff\x10\x04Too many connections'))
    const failure = await opened.catch(cause => cause)
    expect(failure).toMatchObject({ failure: 'refused', code: '1040', message: 'Too many connections' })
    const error = new SessionError(failure.message, { failure: 'database', reply: failure.reply })
    expect(encodeError(error)).toEqual(packet(0, '\xff\x10\x04#HY000Too many connections'))
  })
})

describe('the login to the server', () => {
  test('is a request for TLS, within it the user and the database of the grant, and the token once it is asked for', async () => {
    const session = await logInAtFake()
    const { beforeTls, sent, flags, server, opened } = session
    expect(beforeTls()).toHaveLength(36)
    expect(beforeTls()[3]).toBe(1)
    expect(sent[3]).toBe(2)
    // flags, largest packet, character set and reserved bytes are those of the request
    expect(sent.subarray(4, 36)).toEqual(beforeTls().subarray(4))
    expect(flags).toBe(FLAGS | CAPABILITY.tls | CAPABILITY.pluginAuth | CAPABILITY.connectWithDb)
    expect(sent.readUInt32LE(8)).toBe(0x0123_4567)
    expect(sent[12]).toBe(33)
    expect(sent.toString('latin1', 36)).toBe('app_ro\0\0orders\0caching_sha2_password\0')
    await askForToken(session)
    server.send(packet(5, OK))
    expect((await opened)?.toClient).toEqual(packet(2, OK))
  })

  test('has the token in it at once for a server whose own plugin is for clear text', async () => {
    const { sent } = await logInAtFake({ server: { plugin: 'mysql_clear_password' } })
    const length = `\xfc${String.fromCharCode(PASSWORD.length & 0xff, PASSWORD.length >> 8)}`
    expect(sent.toString('latin1', 36)).toBe(
      `app_ro\0${length}${PASSWORD.toString('latin1')}orders\0mysql_clear_password\0`,
    )
  })

  test('names the client’s database, and none if nobody names one', async () => {
    expect((await logInAtFake({ client: { database: 'audit' } })).sent.toString('latin1')).toMatch(
      /\0audit\0caching_sha2/,
    )
    const { dbname: _, ...token } = TOKEN
    for (const client of [{}, { database: '' }]) {
      const { sent, flags } = await logInAtFake({ token, client })
      expect(flags & CAPABILITY.connectWithDb).toBe(0)
      expect(sent.toString('latin1')).toMatch(/app_ro\0\0caching_sha2_password\0$/)
    }
  })

  test('asks for what the client chose of what the server offers', async () => {
    const client = {
      flags: 0xffff_ffff,
      plugin: 'mysql_native_password',
      database: 'd',
      attributes: '',
    }
    const { flags } = await logInAtFake({ client, server: { capabilities: MYSQL_OFFERS & ~0x800_0000 } })
    // no compression, no second factor, nothing that the server does not offer
    expect(flags).toBe((0xffff_ffff & ~0x3c00_0020) >>> 0)
  })

  test('keeps MariaDB’s further flags, and that a client is not MariaDB’s', async () => {
    const server = { capabilities: MYSQL_OFFERS & ~1, extended: 0x0d }
    const { sent, flags } = await logInAtFake({ server, client: { extended: 0x1f } })
    expect([sent.readUInt32LE(32), flags & 1]).toEqual([0x0d, 0])
    const other = await logInAtFake({ server, client: { flags: FLAGS | 1 } })
    expect(other.flags & 1).toBe(1)
  })

  test('answers a server that asks for the token once, and not again', async () => {
    const session = await logInAtFake()
    const { server, opened } = session
    await askForToken(session)
    server.send(packet(5, ASK_FOR_TOKEN))
    await expect(opened).rejects.toMatchObject({
      failure: 'protocol',
      message: 'the server asks for the token again and again',
    })
    expect(server.take()).toHaveLength(0)
    expect(server.socket.destroyed).toBe(true)
  })

  test.each([
    [
      `${SWITCH_TO_NATIVE}scramble`,
      'token_not_wanted',
      'the server asks for the plugin mysql_native_password and not for a token',
    ],
    [
      '\xfesha256_password\0scramble',
      'token_not_wanted',
      'the server asks for the plugin sha256_password and not for a token',
    ],
    [
      '\xfedialog\0\x02Password: ',
      'token_not_wanted',
      'the server asks for the plugin dialog and not for a token',
    ],
    ['\xfe', 'token_not_wanted', 'the server asks for the plugin mysql_old_password and not for a token'],
    [
      '\x01\x04',
      'token_not_wanted',
      'the server asks for more than a password by the plugin caching_sha2_password and not for a token',
    ],
    ['\xfb/etc/passwd', 'protocol', 'the server answered the login with what is no answer'],
    ['\x02', 'protocol', 'the server answered the login with what is no answer'],
  ])('gives up on %j, with nothing more sent', async (payload, failure, message) => {
    const { server, opened } = await logInAtFake()
    server.send(packet(3, payload))
    await expect(opened).rejects.toMatchObject({ failure, message })
    expect(server.take()).toHaveLength(0)
    expect(server.socket.destroyed).toBe(true)
  })

  test('an account that is refused before the server asked for a token is one that no other token helps', async () => {
    const { server, opened } = await logInAtFake()
    server.send(packet(3, "\xff\x15\x04#28000Access denied for user 'app_ro' (using password: NO)"))
    const failure = await opened.catch(cause => cause)
    expect(failure).toMatchObject({
      failure: 'token_not_wanted',
      message: "Access denied for user 'app_ro' (using password: NO), before it asked for a token",
    })
    expect(isTokenRefused(failure)).toBe(false)
  })

  test('a refused token is one that another may be asked for', async () => {
    const session = await logInAtFake()
    const { server, opened, encodeError } = session
    await askForToken(session)
    server.send(packet(5, "\xff\x15\x04#28000Access denied for user 'app_ro' (using password: NO)"))
    const failure = await opened.catch(cause => cause)
    expect(failure).toBeInstanceOf(WireError)
    expect(isTokenRefused(failure)).toBe(true)
    const { message, reply } = failure
    expect(encodeError(new SessionError(message, { failure: 'database', reply })).toString('latin1', 3)).toBe(
      "\x02\xff\x15\x04#28000Access denied for user 'app_ro' (using password: NO)",
    )
  })

  test('a server that says the token aloud is not quoted', async () => {
    const session = await logInAtFake()
    const { server, opened, encodeError } = session
    await askForToken(session)
    server.send(packet(5, `\xff\x15\x04#28000no ${TOKEN.token}`))
    const failure = await opened.catch(cause => cause)
    expect(failure).toMatchObject({ failure: 'refused', message: 'no [token]', reply: undefined })
    const error = encodeError(
      new SessionError(failure.message, { failure: 'database', reply: failure.reply }),
    )
    expect(error.toString('latin1', 3)).toBe('\x02\xff\x51\x04#HY000no [token]')
  })
})

describe('a server before TLS', () => {
  const refuse = async (bytes: Buffer) => {
    const session = createFakeSession()
    session.server.send(bytes)
    const failure = await session.opened.catch(cause => cause)
    return { ...session, failure }
  }

  test.each([
    [{ capabilities: MYSQL_OFFERS & ~0x800 }, 'no_tls', 'the server speaks MySQL, and has no TLS'],
    [
      { capabilities: MYSQL_OFFERS & ~0x8_0000 },
      'protocol',
      'the server is too old to be asked for a password in clear text',
    ],
  ])('that offers %j is sent nothing', async (options, failure, message) => {
    const session = await refuse(packet(0, greeting(options)))
    expect(session.failure).toMatchObject({ failure, message })
    expect(session.server.take()).toHaveLength(0)
    expect(session.client.take()).toHaveLength(0)
    expect(session.server.socket.destroyed).toBe(true)
  })

  test('that sends more than its greeting is asked for no TLS, and gets no token', async () => {
    const session = createFakeSession()
    session.server.send(Buffer.concat([packet(0, greeting()), packet(2, OK)]))
    await written(session.client.take)
    session.client.send(packet(1, response()))
    await expect(session.opened).rejects.toMatchObject({
      failure: 'protocol',
      message: 'the server sent more than its greeting before TLS',
    })
    expect(session.server.take()).toHaveLength(0)
  })
})

describe('a client with any password', () => {
  async function greet(client: ResponseOptions): Promise<FakeSession> {
    const session = createFakeSession()
    session.server.send(packet(0, greeting()))
    await written(session.client.take)
    session.client.send(packet(1, response(client)))
    return session
  }

  test.each([undefined, '', 'mysql_native_password'])('and the plugin %s is let in at once', async plugin => {
    const session = await greet({ password: 'x'.repeat(20), ...(plugin !== undefined && { plugin }) })
    await expect.poll(() => session.beforeTls().length, SOON).toBeGreaterThan(0)
    session.server.send(packet(3, OK))
    expect((await session.opened)?.toClient).toEqual(packet(2, OK))
    expect(session.client.take()).toHaveLength(0)
  })

  test.each([
    ['with', 'x'.repeat(32), [packet(4, '\x01\x03'), packet(5, OK)]],
    ['without', '\0', [packet(4, OK)]],
    ['without', '', [packet(4, OK)]],
  ])('of MySQL 9 is asked again, %s a password (%j)', async (_name, answer, expected) => {
    const session = await greet({ plugin: 'caching_sha2_password' })
    const asked = await written(session.client.take)
    expect(asked.toString('latin1')).toMatch(/^,\0\0.\xfecaching_sha2_password\0[^\0]{20}\0$/)
    expect(asked[3]).toBe(2)
    session.client.send(packet(3, answer))
    await expect.poll(() => session.beforeTls().length, SOON).toBeGreaterThan(0)
    session.server.send(packet(3, OK))
    const { toClient } = (await session.opened) ?? {}
    expect(Buffer.concat([session.client.take(), toClient ?? Buffer.alloc(0)])).toEqual(
      Buffer.concat(expected),
    )
  })

  test('and another plugin is asked for the one of the greeting', async () => {
    const session = await greet({ plugin: 'mysql_clear_password', password: 'secret\0' })
    const asked = await written(session.client.take)
    expect(asked.toString('latin1', 4)).toMatch(/^\xfemysql_native_password\0[^\0]{20}\0$/)
    session.client.send(packet(3, 'x'.repeat(20)))
    await expect.poll(() => session.beforeTls().length, SOON).toBeGreaterThan(0)
    session.server.send(packet(3, OK))
    expect((await session.opened)?.toClient).toEqual(packet(4, OK))
  })

  test.each([
    [
      'asks for TLS',
      response({ flags: FLAGS | 0x800 }).subarray(0, 32),
      /^the client asks for TLS, which the proxy itself speaks/,
    ],
    [
      'speaks the protocol before 4.1',
      Buffer.from([5, 0, 0, 0, 0]),
      /^the client speaks the protocol of MySQL before 4\.1/,
    ],
    ['says nothing', Buffer.alloc(0), /^the client speaks the protocol of MySQL before 4\.1/],
    ['breaks off', response().subarray(0, 30), /^the client does not speak MySQL/],
    [
      'has a password longer than its packet',
      Buffer.concat([response().subarray(0, 40), Buffer.from([200])]),
      /^the client does not speak MySQL/,
    ],
  ])('that %s is told why not', async (_name, payload, message) => {
    const session = createFakeSession()
    session.server.send(packet(0, greeting()))
    await written(session.client.take)
    session.client.send(packet(1, payload))
    const failure = await session.opened.catch(cause => cause)
    expect(failure).toBeInstanceOf(SessionError)
    expect(failure).toMatchObject({ failure: 'unsupported', message: expect.stringMatching(message) })
    expect(session.encodeError(failure).toString('latin1', 3)).toBe(
      `\x02\xff\x13\x04#08S01${failure.message}`,
    )
  })

  test('that sends a packet longer than any login is told so before it has sent it', async () => {
    const session = createFakeSession()
    session.server.send(packet(0, greeting()))
    await written(session.client.take)
    session.client.send(Buffer.from([0xff, 0xff, 0xff, 1]))
    await expect(session.opened).rejects.toMatchObject({ failure: 'unsupported' })
  })
})

describe('attributes of the connection', () => {
  const sentAttributes = async (client: ResponseOptions, options: Parameters<typeof logInAtFake>[0] = {}) => {
    const { sent } = await logInAtFake({ callerName: 'repo:acme/app', client, ...options })
    return sent.toString('latin1').split('caching_sha2_password\0')[1]
  }
  const counted = (text: string) => `${String.fromCharCode(text.length)}${text}`
  const added = attributes({ program_name: 'repo:acme/app' })

  test('gain the caller as the program, after those that are there', async () => {
    expect(await sentAttributes({})).toBe(counted(added))
    const own = attributes({ _client_name: 'pymysql', _pid: '7' })
    expect(await sentAttributes({ attributes: own })).toBe(counted(own + added))
  })

  test('stay as they are if the program has a name, nobody is to be named, or they cannot be read', async () => {
    const named = attributes({ program_name: 'mysqldump', _pid: '7' })
    expect(await sentAttributes({ attributes: named })).toBe(counted(named))
    expect(await sentAttributes({ attributes: 'xx' })).toBe(counted('xx'))
    const { sent } = await logInAtFake({ client: { attributes: attributes({ a: 'b' }) } })
    expect(sent.toString('latin1').endsWith(`\0${counted(attributes({ a: 'b' }))}`)).toBe(true)
  })

  test('are left out for a server that takes none', async () => {
    const server = { capabilities: MYSQL_OFFERS & ~CAPABILITY.connectAttributes }
    const client = { attributes: attributes({ a: 'b' }) }
    expect(await sentAttributes(client, { server })).toBe('')
  })
})

const FAILURES: readonly [SessionFailure, string][] = [
  ['refused', '\x15\x04#28000'],
  ['unavailable', '\x10\x04#08004'],
  ['too_many', '\x10\x04#08004'],
  ['unsupported', '\x13\x04#08S01'],
  ['timeout', '\x87\x04#08S01'],
  ['ending', '\x1d\x04#08S01'],
  ['database', '\x51\x04#HY000'],
]

describe('errors', () => {
  test.each(FAILURES)('%s', (failure, code) => {
    const { encodeError } = createFakeSession()
    expect(encodeError(new SessionError('no', { failure }))).toEqual(packet(0, `\xff${code}no`))
  })

  test('docs/proxy.md has each of them, and no others', async () => {
    const page = await readFile(new URL('../../../../docs/proxy.md', import.meta.url), 'utf8')
    const { encodeError } = createFakeSession()
    const listed = Array.from(
      page.matchAll(/^\| (\d{4}) \| (\w{5}) \|/gm),
      ([, number, state]) => `${number} ${state}`,
    )
    const sent = FAILURES.map(([failure]) => {
      const error = encodeError(new SessionError('no', { failure }))
      return `${error.readUInt16LE(5)} ${error.toString('latin1', 8, 13)}`
    })
    expect(new Set(sent)).toEqual(new Set(listed))
  })

  test('a client that goes leaves nothing to do', async () => {
    const session = createFakeSession()
    session.server.send(packet(0, greeting()))
    await written(session.client.take)
    session.client.end()
    expect(await session.opened).toBeUndefined()
  })

  test('when the time is over, the reason is that of the signal, and the server is left', async () => {
    const session = await logInAtFake()
    session.abort(new Error('too late'))
    await expect(session.opened).rejects.toThrow('too late')
    expect(session.server.socket.destroyed).toBe(true)
  })
})

test('a client that goes without a word has the server logged in to, and out of, in the caller’s name', async () => {
  const session = createFakeSession({ callerName: 'repo:acme/app' })
  const { server, client, opened, beforeTls } = session
  server.send(packet(0, greeting()))
  await written(client.take)
  client.end()
  await opened
  await expect.poll(() => beforeTls().length).toBe(36)
  expect((await written(server.take)).toString('latin1')).toMatch(
    /app_ro\0\0caching_sha2_password\0.{2}program_name.repo:acme\/app$/s,
  )
  await askForToken(session)
  server.send(packet(5, OK))
  expect(await written(server.take)).toEqual(packet(0, '\x01'))
  await expect.poll(() => server.socket.writableEnded).toBe(true)
})
