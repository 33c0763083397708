import { describe, expect, test } from 'vitest'
import { createPostgresProxy } from '../../../../src/client/proxy/postgres/postgres-proxy.ts'
import { SessionError } from '../../../../src/client/proxy/session-error.ts'
import { int32 } from '../../../../src/client/wire/postgres-messages.ts'
import { WireError } from '../../../../src/client/wire/wire-error.ts'
import { readDocsPage, rowsOf, sectionOf } from '../../../support/markdown.ts'
import {
  CANCEL_KEY,
  cancelRequest,
  fieldsOf,
  LOGIN_REPLY,
  latin1,
  PASSWORD,
  SERVER,
  SSL_REQUEST,
  STARTUP,
  startupMessage,
  TOKEN,
} from './messages.ts'
import {
  createFakeClient,
  createFakeServer,
  type FakeServerOptions,
  neverAborted,
  present,
  settle,
} from './support.ts'

/** A client that has sent its startup message, and the server that got it if it came that far. */
async function begin({
  sent = STARTUP,
  signal = neverAborted(),
  ...options
}: FakeServerOptions & { sent?: Buffer; signal?: AbortSignal } = {}) {
  const server = createFakeServer(options)
  const proxy = createPostgresProxy(server.parts)
  const client = createFakeClient()
  const session = proxy.accept(client.channel)
  const opened = session.open(signal)
  opened.catch(() => {})
  client.send(sent)
  await settle()
  return { server, proxy, client, session, opened, plain: server.plain[0], secure: server.secure[0] }
}

const started = async (options?: Parameters<typeof begin>[0]) => {
  const { secure, plain, ...rest } = await begin(options)
  return { ...rest, secure: present(secure), plain: present(plain) }
}

describe('a login', () => {
  test('is TLS, the startup message, the token when it is asked for, and what the server says then', async () => {
    const { opened, plain, secure, server } = await started({ callerName: 'repo:acme/orders' })
    expect(plain.written()).toEqual(SSL_REQUEST)
    const startup = startupMessage([
      'user',
      'app_rw',
      'database',
      'orders',
      'application_name',
      'repo:acme/orders',
    ])
    expect(secure.written()).toEqual(startup)
    secure.send(SERVER.clearText)
    await settle()
    expect(secure.written()).toEqual(Buffer.concat([startup, PASSWORD]))
    const next = latin1('A')
    secure.send(Buffer.concat([LOGIN_REPLY, next]))
    const link = present(await opened)
    expect(link.toClient).toEqual(LOGIN_REPLY)
    expect(link.server.release()).toEqual(next)
    expect(plain.written()).toEqual(SSL_REQUEST)
    expect(server.dialed).toEqual([undefined])
  })

  test('of a server that trusts the user has no token in it', async () => {
    const { opened, secure } = await started()
    secure.send(LOGIN_REPLY)
    expect(present(await opened).toClient).toEqual(LOGIN_REPLY)
    expect(secure.written().includes(TOKEN)).toBe(false)
  })

  test('keeps what comes before and after the password in its order, in pieces of any size', async () => {
    const before = [SERVER.negotiate, SERVER.notice]
    const after = [SERVER.ok, SERVER.notice, SERVER.setting, SERVER.longKey, SERVER.ready]
    for (const size of [1, 2, 7, undefined]) {
      const { opened, secure } = await started({ sent: startupMessage(['user', 'x'], (3 << 16) | 2) })
      expect(secure.written().readInt32BE(4)).toBe((3 << 16) | 2)
      secure.send(Buffer.concat([...before, SERVER.clearText, ...after]), size)
      expect(present(await opened).toClient).toEqual(Buffer.concat([...before, ...after]))
    }
  })

  test('that is tried again shows the client nothing of the first time', async () => {
    const server = createFakeServer()
    const parts = {
      ...server.parts,
      logIn: (async (attempt, signal) =>
        server.parts
          .logIn(attempt, signal)
          .catch(() => server.parts.logIn(attempt, signal))) as typeof server.parts.logIn,
    }
    const client = createFakeClient()
    const opened = createPostgresProxy(parts).accept(client.channel).open(neverAborted())
    client.send(STARTUP)
    await settle()
    const first = present(server.secure[0])
    first.send(Buffer.concat([SERVER.negotiate, SERVER.notice, SERVER.clearText, SERVER.refusal]))
    await expect.poll(() => server.secure).toHaveLength(2)
    await settle()
    expect(present(server.plain[0]).stream.destroyed).toBe(true)
    expect(present(server.secure[1]).written()).toEqual(first.written().subarray(0, -PASSWORD.length))
    present(server.secure[1]).send(Buffer.concat([SERVER.negotiate, SERVER.clearText, LOGIN_REPLY]))
    expect(present(await opened).toClient).toEqual(Buffer.concat([SERVER.negotiate, LOGIN_REPLY]))
  })

  test('goes to the configured database if the client names none', async () => {
    const { secure } = await started({ sent: startupMessage(['user', 'x']), token: { dbname: 'shop' } })
    expect(secure.written()).toEqual(startupMessage(['user', 'app_rw', 'database', 'shop']))
  })

  test('whose startup message is too long with the name of the user is not tried', async () => {
    const { opened, server } = await begin({ sent: startupMessage(['user', '', 'x', 'y'.repeat(9_985)]) })
    await expect(opened).rejects.toMatchObject({
      failure: 'unsupported',
      message: 'the startup message is too long',
    })
    expect(server.plain).toHaveLength(0)
  })
})

describe('a server that must not get the token, or sends what is no login', () => {
  const flood = Buffer.concat(Array.from({ length: 9_000 }, () => SERVER.setting))
  test.each<[string, Buffer[], object]>([
    [
      'asks for MD5',
      [SERVER.md5],
      { failure: 'token_not_wanted', message: 'the server asks for an MD5 password and not for a token' },
    ],
    [
      'asks for SCRAM',
      [SERVER.scram],
      { failure: 'token_not_wanted', message: 'the server asks for a SCRAM password and not for a token' },
    ],
    ['asks for something unheard of', [Buffer.from('R\0\0\0\x04')], { failure: 'token_not_wanted' }],
    [
      'goes on without a login',
      [SERVER.setting],
      { failure: 'protocol', message: 'the server goes on without a login' },
    ],
    ['is ready without a login', [SERVER.ready], { failure: 'protocol' }],
    ['gives a key without a login', [SERVER.key], { failure: 'protocol' }],
    [
      'sends a length of 2 GB',
      [Buffer.concat([latin1('N'), int32(0x7fffffff)])],
      { failure: 'protocol', message: 'the server sent what is no message of PostgreSQL' },
    ],
    ['sends a length below zero', [Buffer.concat([latin1('R'), int32(-5)])], { failure: 'protocol' }],
    [
      'floods notices before the login',
      [Buffer.concat(Array.from({ length: 9_000 }, () => SERVER.notice))],
      { failure: 'protocol', message: 'the server sends more than a login needs' },
    ],
    [
      'sends the token in a notice before it could know it',
      [SERVER.noticeOfToken, LOGIN_REPLY],
      { failure: 'protocol', message: 'the server sent the token back' },
    ],
  ])('%s', async (_, sent, expected) => {
    const { opened, secure, plain } = await started()
    secure.send(Buffer.concat(sent))
    secure.end()
    await expect(opened).rejects.toMatchObject({ name: 'WireError', ...expected })
    expect(secure.written().includes(TOKEN)).toBe(false)
    expect(plain.written().includes(TOKEN)).toBe(false)
    expect(plain.stream.destroyed).toBe(true)
  })

  test.each<[string, Buffer[], string]>([
    ['asks for the password twice', [SERVER.clearText], 'the server asks for the password twice'],
    [
      'asks again after the login',
      [SERVER.ok, SERVER.clearText],
      'the server asks for a password after the login',
    ],
    ['accepts twice', [SERVER.ok, SERVER.ok], 'the server asks for a password after the login'],
    ['floods settings', [SERVER.ok, flood], 'the server sends more than a login needs'],
    [
      'sends the token back in a notice',
      [SERVER.ok, SERVER.noticeOfToken, SERVER.ready],
      'the server sent the token back',
    ],
    ['ends after the login', [SERVER.ok, SERVER.setting], 'the server ended the connection'],
  ])('%s, and gets it once', async (_, sent, message) => {
    const { opened, secure, plain } = await started()
    const startup = secure.written()
    secure.send(Buffer.concat([SERVER.clearText, ...sent]))
    secure.end()
    await expect(opened).rejects.toMatchObject({ name: 'WireError', message })
    expect(secure.written()).toEqual(Buffer.concat([startup, PASSWORD]))
    expect(plain.stream.destroyed).toBe(true)
  })

  test.each<[string, Buffer, object]>([
    [
      'has no TLS',
      latin1('N'),
      { failure: 'no_tls', message: 'the server speaks PostgreSQL, and refuses TLS' },
    ],
    [
      'sends more than its answer before TLS',
      Buffer.concat([latin1('S'), LOGIN_REPLY]),
      { failure: 'protocol', message: 'the server sent more than its answer before TLS' },
    ],
    [
      'speaks something else',
      latin1('HTTP/1.1 400 Bad Request\r\n'),
      { failure: 'protocol', message: 'what answers there does not speak PostgreSQL' },
    ],
    // whoever wrote that: it must not make the proxy report its token as refused, and nobody is shown it
    [
      'refuses before TLS',
      SERVER.refusal,
      {
        failure: 'protocol',
        message: 'the server answered the request for TLS with an error',
        reply: undefined,
      },
    ],
  ])('%s: nothing but the request for TLS is sent', async (_, tls, expected) => {
    const { opened, plain, secure } = await begin({ tls })
    await expect(opened).rejects.toMatchObject({ name: 'WireError', ...expected })
    expect(secure).toBeUndefined()
    expect(present(plain).written()).toEqual(SSL_REQUEST)
    expect(present(plain).stream.destroyed).toBe(true)
  })
})

describe('a database that says no', () => {
  const answer = async (...sent: Buffer[]) => {
    const { opened, secure, session, client } = await started()
    secure.send(Buffer.concat(sent))
    return { cause: await opened.catch(cause => cause), session, client }
  }
  /** What the client is shown of it, by way of an error with the database's own reply. */
  const shown = ({ cause, session }: Awaited<ReturnType<typeof answer>>) =>
    session.encodeError(new SessionError('x', { failure: 'database', reply: cause.reply, cause }))

  test('of the token: with its code and its message as it came', async () => {
    const answered = await answer(SERVER.negotiate, SERVER.clearText, SERVER.refusal)
    expect(answered.cause).toMatchObject({
      failure: 'refused',
      code: '28000',
      message: 'PAM authentication failed for user "app_rw"',
    })
    expect(shown(answered)).toEqual(Buffer.concat([SERVER.negotiate, SERVER.refusal]))
  })

  test('after the login: with all that it said before', async () => {
    const answered = await answer(SERVER.clearText, SERVER.ok, SERVER.setting, SERVER.noDatabase)
    expect(answered.cause).toMatchObject({ failure: 'refused', code: '3D000' })
    expect(shown(answered)).toEqual(Buffer.concat([SERVER.ok, SERVER.setting, SERVER.noDatabase]))
  })

  test.each([
    [SERVER.clearText, SERVER.ofToken],
    [SERVER.clearText, SERVER.ok, SERVER.ofToken],
    [SERVER.clearText, SERVER.ok, SERVER.noticeOfToken, SERVER.noDatabase],
  ])('and quotes the token: without it, and with its code', async (...sent) => {
    const answered = await answer(...sent)
    expect(answered.cause).toMatchObject({ failure: 'refused', reply: undefined })
    expect(answered.cause.message).not.toContain(TOKEN)
    const { C, M } = fieldsOf(shown(answered))
    expect({ C, M }).toEqual({ C: answered.cause.code, M: 'x' })
  })
})

describe('what stalls', () => {
  test.each([
    ['the client', Buffer.from('\0')],
    ['the server', STARTUP],
  ])('%s: until the signal aborts', async (_, sent) => {
    const controller = new AbortController()
    const { opened, plain } = await begin({ sent, signal: controller.signal })
    const reason = new Error('out of time')
    controller.abort(reason)
    await expect(opened).rejects.toBe(reason)
    expect(plain?.stream.destroyed ?? true).toBe(true)
  })

  test('a login that succeeds in the moment of the abort leaves nothing behind', async () => {
    const controller = new AbortController()
    const { opened, secure, server, proxy } = await started({ signal: controller.signal })
    secure.send(LOGIN_REPLY)
    controller.abort(new Error('gone'))
    await expect(opened).rejects.toThrow('gone')
    await settle()
    expect(present(server.plain[0]).stream.destroyed).toBe(true)
    // nor is its key known
    const client = createFakeClient()
    const cancelled = proxy.accept(client.channel).open(neverAborted())
    client.send(cancelRequest(CANCEL_KEY))
    expect(await cancelled).toBeUndefined()
    expect(server.dialed).toEqual([undefined])
  })

  test('a link that the retries throw away is ended', async () => {
    const server = createFakeServer()
    const reason = new Error('the proxy ends')
    const parts = {
      ...server.parts,
      logIn: (async (attempt, signal) => {
        await server.parts.logIn(attempt, signal)
        throw reason
      }) as typeof server.parts.logIn,
    }
    const client = createFakeClient()
    const opened = createPostgresProxy(parts).accept(client.channel).open(neverAborted())
    client.send(STARTUP)
    await settle()
    present(server.secure[0]).send(LOGIN_REPLY)
    await expect(opened).rejects.toBe(reason)
    expect(present(server.secure[0]).stream.destroyed).toBe(true)
  })
})

describe('what a client is shown', () => {
  const error = (failure: SessionError['failure'], options = {}) =>
    new SessionError('a sentence', { failure, ...options })

  test.each([
    ['refused', '28000'],
    ['unavailable', '57P03'],
    ['too_many', '53300'],
    ['unsupported', '0A000'],
    ['timeout', '57P03'],
    ['ending', '57P03'],
    ['database', '28000'],
  ] as const)('of %s: %s', async (failure, C) => {
    const { session } = await started()
    expect(fieldsOf(session.encodeError(error(failure)))).toEqual({
      S: 'FATAL',
      V: 'FATAL',
      C,
      M: 'a sentence',
    })
  })

  test('codes that docs/proxy.md has, and no others', async () => {
    const { session } = await started()
    const kinds = ['refused', 'unavailable', 'too_many', 'unsupported', 'timeout', 'ending'] as const
    const rows = rowsOf(sectionOf(await readDocsPage('proxy'), 'What clients are told'))
    const documented = new Set(rows.map(([, , code]) => code).filter(code => code !== 'its own'))
    expect(documented).toEqual(new Set(kinds.map(kind => fieldsOf(session.encodeError(error(kind))).C)))
  })

  test('a zero in a sentence does not end it', async () => {
    const { session } = await started()
    const response = session.encodeError(new SessionError('a\0Cb', { failure: 'refused' }))
    expect(fieldsOf(response)).toMatchObject({ C: '28000', M: 'aCb' })
  })

  test('nothing that is no code of PostgreSQL', async () => {
    const { session } = await started()
    const cause = new WireError('x', { failure: 'refused', code: 'no code' })
    expect(fieldsOf(session.encodeError(error('database', { cause })))).toMatchObject({ C: '28000' })
  })

  test('that there is no room, before it has said anything, but not that it said nothing', async () => {
    const { session } = await begin({ sent: Buffer.alloc(0) })
    expect(fieldsOf(session.encodeError(error('too_many')))).toMatchObject({ C: '53300' })
    expect(session.encodeError(error('timeout'))).toHaveLength(0)
  })

  test.each([
    ['HTTP', latin1('GET / HTTP/1.1\r\n\r\n')],
    ['TLS', Buffer.from('16030100ff010000fb0303', 'hex')],
  ])('nothing if it speaks %s', async (_, sent) => {
    const { session, opened, server, client } = await begin({ sent })
    const cause = await opened.catch(cause => cause)
    expect(cause).toMatchObject({
      failure: 'unsupported',
      message: 'what connects does not speak PostgreSQL, or begins with TLS at once',
    })
    expect(session.encodeError(cause)).toHaveLength(0)
    expect(client.written()).toHaveLength(0)
    expect(server.plain).toHaveLength(0)
  })

  test.each([
    [
      'replication',
      startupMessage(['user', 'x', 'replication', 'database']),
      'there is no replication: RDS refuses it to whoever logs in with a token',
    ],
    [
      'protocol 2.0',
      startupMessage(['user', 'x'], 2 << 16),
      'unsupported frontend protocol 2.0: only version 3 is spoken here',
    ],
  ])('of %s, which it has not', async (_, sent, M) => {
    const { session, opened, server } = await begin({ sent })
    const cause = await opened.catch(cause => cause)
    expect(fieldsOf(session.encodeError(cause))).toEqual({ S: 'FATAL', V: 'FATAL', C: '0A000', M })
    expect(server.plain).toHaveLength(0)
  })
})
