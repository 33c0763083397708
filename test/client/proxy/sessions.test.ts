import { once } from 'node:events'
import { expect, test } from 'vitest'
import { CallerError } from '../../../src/client/errors.ts'
import { createAuthority } from '../../../src/dev/postgres/certificate-authority.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { RDS_HOST } from '../../support/service/api-stub.ts'
import { eventsOf } from '../../support/service/log-recorder.ts'
import { AUTHORITY, readAll, readLine, startToyProxy, startToyServer, toyReply } from './toy-proxy.ts'

const WITHIN = { timeout: 10_000 }

test('a client is logged in, and bytes are copied both ways until both sides have ended', async () => {
  const server = await startToyServer()
  const { connect, proxy } = await startToyProxy(server.port)
  const client = connect('hello')
  expect(await readLine(client)).toBe('welcome 127.0.0.1')
  client.end('a query')
  // the end of the client's side is passed on, and the rest of the reply comes back
  expect(await readAll(client)).toBe('a query')
  await expect.poll(() => server.sockets.size, WITHIN).toBe(0)
  await expect.poll(() => sampleOf(proxy, 'jeton_proxy_sessions'), WITHIN).toBe(0)
  expect(sampleOf(proxy, 'jeton_proxy_sessions_total')).toBe(1)
})

test('the end of a client comes as that of a TCP connection: a byte that a server leaves unread would cut its reply off', async () => {
  const server = await startToyServer()
  const bytes: (number | undefined)[] = []
  server.onSession = socket => {
    const [connection] = server.sockets
    const count = () => bytes.push(connection?.bytesRead)
    socket.on('data', data => count() && socket.write(data)).on('end', () => count() && socket.end())
  }
  const { connect } = await startToyProxy(server.port)
  const client = connect('hello')
  await readLine(client)
  client.write('goodbye\n')
  expect(await readLine(client)).toBe('goodbye')
  client.end()
  expect(await readAll(client)).toBe('')
  expect(bytes).toHaveLength(2)
  expect(bytes[1]).toBe(bytes[0])
})

test('what a client sends along with its first message comes after the login', async () => {
  const server = await startToyServer()
  const { connect } = await startToyProxy(server.port)
  const client = connect()
  client.end('hello\nearly')
  expect(await readAll(client)).toBe('welcome 127.0.0.1\nearly')
})

test('100 clients at once cost one token', async () => {
  const server = await startToyServer()
  const { connect, asked } = await startToyProxy(server.port)
  const lines = await Promise.all(Array.from({ length: 100 }, () => readLine(connect('hello'))))
  expect(new Set(lines)).toEqual(new Set(['welcome 127.0.0.1']))
  expect(asked).toHaveLength(1)
  expect(new Set(server.tokens).size).toBe(1)
})

test('of many logins 100 go on at one time, and the others have their turn unless they have left', async () => {
  const server = await startToyServer()
  server.answer = () => 'hang'
  const { connect, proxy } = await startToyProxy(server.port)
  const clients = Array.from({ length: 150 }, () => connect('hello'))
  await expect.poll(() => sampleOf(proxy, 'jeton_proxy_connections'), WITHIN).toBe(150)
  await expect.poll(() => server.tokens.length, WITHIN).toBe(100)
  for (const client of [...clients.slice(0, 20), ...clients.slice(-10)]) client.destroy()
  await expect.poll(() => server.tokens.length, WITHIN).toBe(120)
  expect(server.sockets.size).toBe(100)
})

test('nothing to do is an end without a word', async () => {
  const server = await startToyServer()
  const { connect } = await startToyProxy(server.port)
  expect(await readAll(connect('nothing'))).toBe('')
})

test('a token that is refused is reported once, and the login tried with another', async () => {
  const server = await startToyServer()
  const { connect, asked, log } = await startToyProxy(server.port)
  const [first] = [server.tokens]
  server.answer = token =>
    token === server.tokens[0] ? 'PAM authentication failed for user "app"' : undefined
  expect(await readLine(connect('hello'))).toBe('welcome 127.0.0.1')
  expect(first).toHaveLength(2)
  expect(asked[1]).toMatchObject({ refused: expect.stringMatching(/^[0-9a-f]{64}$/) })
  expect(eventsOf(log)).toContain('proxy_token_refused')
})

test('a database that refuses every token is passed on, and jeton is left alone for a minute', async () => {
  const server = await startToyServer()
  const clock = virtualClock()
  const { connect, asked } = await startToyProxy(server.port, { clock })
  server.answer = () => 'PAM authentication failed for user "app"'
  const said = 'the server says: PAM authentication failed for user "app"\n'
  for (let round = 0; round < 5; round++) expect(await readAll(connect('hello'))).toBe(said)
  expect(asked).toHaveLength(2)
  await clock.advance(61_000)
  expect(await readAll(connect('hello'))).toBe(said)
  expect(asked).toHaveLength(3)
})

test('without another token, what the database said is passed on as it came', async () => {
  const server = await startToyServer()
  const replies = [toyReply(server.port)]
  const { connect } = await startToyProxy(server.port, {
    requestToken: async () => replies.shift() ?? Promise.reject(refusal()),
  })
  server.answer = () => 'PAM authentication failed for user "app"'
  expect(await readAll(connect('hello'))).toBe('the server says: PAM authentication failed for user "app"\n')
})

test('while RDS throttles, the same token is tried again', async () => {
  const server = await startToyServer()
  const clock = virtualClock()
  const { connect, asked } = await startToyProxy(server.port, { clock })
  server.answer = () => (server.tokens.length < 3 ? 'too many competing requests' : undefined)
  const line = readLine(connect('hello'))
  await expect.poll(() => server.tokens.length, WITHIN).toBe(1)
  await advanceUntil(clock, () => server.tokens.length >= 3)
  expect(await line).toBe('welcome 127.0.0.1')
  expect(asked).toHaveLength(1)
})

test('a throttle that lasts longer than a login waits is passed on', async () => {
  const server = await startToyServer()
  const { connect, asked } = await startToyProxy(server.port, { waitMs: 0 })
  const throttled = 'The IAM authentication failed because of too many competing requests.'
  server.answer = () => throttled
  expect(await readAll(connect('hello'))).toBe(`the server says: ${throttled}\n`)
  expect([server.tokens.length, asked.length]).toEqual([1, 1])
})

test('jeton away: a good token serves on, and without one clients are told when to come back', async () => {
  const server = await startToyServer()
  const clock = virtualClock()
  let isAway = false
  const { connect, proxy, log } = await startToyProxy(server.port, {
    clock,
    waitMs: 0,
    requestToken: async () => (isAway ? Promise.reject(away()) : toyReply(server.port)),
  })
  isAway = true
  await clock.advance(14 * 60_000)
  expect(await readLine(connect('hello'))).toBe('welcome 127.0.0.1')
  expect(proxy.health.problem()).toBeUndefined()
  await clock.advance(2 * 60_000)
  expect(await readAll(connect('hello'))).toBe(
    'unavailable: jeton proxy: no token for orders: jeton.example.com cannot be reached; try again in 7 s\n',
  )
  expect(proxy.health.problem()).toBe('no token for orders: jeton.example.com cannot be reached')
  expect(eventsOf(log).filter(event => event === 'proxy_token_failed')).toHaveLength(2)
  isAway = false
  await clock.advance(7000)
  expect(await readLine(connect('hello'))).toBe('welcome 127.0.0.1')
  expect(proxy.health.problem()).toBeUndefined()
  expect(eventsOf(log)).toContain('proxy_token_recovered')
})

test('jeton refuses: clients are told who can help', async () => {
  const server = await startToyServer()
  const clock = virtualClock()
  const replies = [toyReply(server.port)]
  const { connect } = await startToyProxy(server.port, {
    clock,
    requestToken: async () => replies.shift() ?? Promise.reject(refusal()),
  })
  await clock.advance(16 * 60_000)
  expect(await readAll(connect('hello'))).toBe(
    'refused: jeton proxy: no token for orders: no grant allows it (access_denied, audit id 01J); trying again changes nothing: ask whoever runs jeton\n',
  )
})

test('a certificate of another CA: no token is sent', async () => {
  const server = await startToyServer({ certificate: createAuthority().issue([RDS_HOST]) })
  const { connect, log } = await startToyProxy(server.port)
  expect(await readAll(connect('hello'))).toMatch(
    /^refused: jeton proxy: the certificate of 127\.0\.0\.1:\d+ does not verify \(\w+\), so no token was sent: /,
  )
  expect(server.tokens).toEqual([])
  expect(log.lines.at(-1)).toMatchObject({
    level: 'warn',
    fields: { event: 'proxy_session_failed', reason: 'refused', database: 'orders', count: 1 },
  })
})

test('a certificate for another server', async () => {
  const server = await startToyServer({ certificate: AUTHORITY.issue(['other.example.com']) })
  const { connect } = await startToyProxy(server.port)
  expect(await readAll(connect('hello'))).toBe(
    `refused: jeton proxy: the certificate of 127.0.0.1:${server.port} is not for ${RDS_HOST} (ERR_TLS_CERT_ALTNAME_INVALID), so no token was sent: does that address lead to another server?\n`,
  )
  expect(server.tokens).toEqual([])
})

test('a server that is not there, and one that hangs in the handshake or after the token', async () => {
  const clock = virtualClock()
  const silent = await startToyServer({
    onConnection: socket => void socket.resume().on('end', () => socket.end()),
  })
  const hanging = await startToyServer()
  hanging.answer = () => 'hang'
  const gone = await startToyProxy(1)
  expect(await readAll(gone.connect('hello'))).toBe(
    'unavailable: jeton proxy: no session with 127.0.0.1:1: no connection (ECONNREFUSED); try again in a moment\n',
  )
  for (const server of [silent, hanging]) {
    const { connect } = await startToyProxy(server.port, { clock })
    const all = readAll(connect('hello'))
    await expect.poll(() => server.sockets.size, WITHIN).toBe(1)
    if (server === hanging) await expect.poll(() => server.tokens.length, WITHIN).toBe(1)
    await clock.advance(20_000)
    expect(await all).toMatch(
      /^unavailable: jeton proxy: no session with .* did not finish a login within 20 s/,
    )
    await expect.poll(() => server.sockets.size, WITHIN).toBe(0)
  }
})

test('a name that DNS does not know', async () => {
  const { connect } = await startToyProxy(1, {
    requestToken: async () => toyReply(1, { connect: 'tunnel.example.com:5432' }),
    lookUpAll: async () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
  })
  expect(await readAll(connect('hello'))).toBe(
    'unavailable: jeton proxy: no session with tunnel.example.com:5432: the address of tunnel.example.com is not known (ENOTFOUND); try again in a moment\n',
  )
})

test('of several addresses the first that answers is taken', async () => {
  const server = await startToyServer()
  const { connect } = await startToyProxy(server.port, {
    requestToken: async () => toyReply(server.port, { connect: `tunnel.example.com:${server.port}` }),
    lookUpAll: async () => [{ address: '127.0.0.2' }, { address: '127.0.0.1' }],
  })
  expect(await readLine(connect('hello'))).toBe('welcome 127.0.0.1')
})

test('a client that says half a word ends in time, and stops nobody else', async () => {
  const server = await startToyServer()
  const clock = virtualClock()
  const { connect, proxy } = await startToyProxy(server.port, { clock })
  const halves = Array.from({ length: 20 }, () => connect())
  for (const half of halves) half.write('hel')
  expect(await readLine(connect('hello'))).toBe('welcome 127.0.0.1')
  const all = Promise.all(halves.map(readAll))
  await expect.poll(() => sampleOf(proxy, 'jeton_proxy_connections'), WITHIN).toBe(21)
  await clock.advance(10_000)
  expect(new Set(await all)).toEqual(
    new Set(['timeout: jeton proxy: the client did not say within 10 s what it wants\n']),
  )
})

test('a client that sends without an end before its login is refused, and what it sends is not kept', async () => {
  const server = await startToyServer()
  const { connect, proxy } = await startToyProxy(server.port)
  const client = connect()
  client.write('x'.repeat(4 * 1024 * 1024))
  expect(await readAll(client)).toMatch(/^refused: jeton proxy: the line is too long/)
  expect(failuresOf(proxy)).toEqual({ refused: 1 })
})

test('clients that go away at any moment leave nothing behind', async () => {
  const server = await startToyServer()
  server.answer = () => (server.tokens.length % 2 ? 'hang' : undefined)
  const { connect, proxy } = await startToyProxy(server.port)
  const clients = Array.from({ length: 60 }, (_, index) => connect(index % 3 ? 'hello' : undefined))
  await expect.poll(() => server.tokens.length, WITHIN).toBe(40)
  for (const client of clients) client.destroy()
  await proxy.close({ drainMs: 0 })
  await expect.poll(() => server.sockets.size, WITHIN).toBe(0)
  expect(sampleOf(proxy, 'jeton_proxy_sessions')).toBe(0)
})

test.each([
  ['a socket', 'end'],
  ['a socket', 'destroy'],
  ['a port', 'end'],
  ['a port', 'resetAndDestroy'],
] as const)('a client at %s that goes during its login (%s) is forgotten at once', async (place, end) => {
  const server = await startToyServer()
  server.answer = () => 'hang'
  const { connect, proxy, log } = await startToyProxy(server.port, {
    ...(place === 'a port' && { databases: [{ name: 'orders', listen: { loopbackPort: 0 } }] }),
  })
  const client = connect('hello')
  await expect.poll(() => server.tokens.length, WITHIN).toBe(1)
  client[end]()
  await expect.poll(() => server.sockets.size, WITHIN).toBe(0)
  await expect.poll(() => sampleOf(proxy, 'jeton_proxy_connections'), WITHIN).toBe(0)
  expect(failuresOf(proxy)).toEqual({ client_gone: 1 })
  expect(eventsOf(log)).not.toContain('proxy_session_failed')
})

test('a client that has sent its query along with its end is served, however long the login takes', async () => {
  const server = await startToyServer()
  server.answer = () => (server.tokens.length < 2 ? 'PAM authentication failed for user "app"' : undefined)
  const { connect } = await startToyProxy(server.port)
  expect(await readAll(connect().end('hello\na query'))).toBe('welcome 127.0.0.1\na query')
  expect(server.tokens).toHaveLength(2)
})

test('a check of the port is no failure, be it with half a word', async () => {
  const server = await startToyServer()
  const { connect, proxy, log } = await startToyProxy(server.port)
  for (const text of ['', 'hel']) expect(await readAll(connect().end(text))).toBe('')
  expect(failuresOf(proxy)).toEqual({ client_gone: 2 })
  expect(eventsOf(log)).not.toContain('proxy_session_failed')
})

test('a client that stops reading is not read for, and its server is not either', async () => {
  const server = await startToyServer()
  let sent = 0
  server.onSession = socket => {
    const piece = Buffer.alloc(64 * 1024)
    const fill = () => {
      while (socket.writable && sent < 64 * 1024 * 1024) {
        sent += piece.length
        if (!socket.write(piece)) return void socket.once('drain', fill)
      }
      socket.end()
    }
    fill()
  }
  const { connect } = await startToyProxy(server.port)
  const client = connect('hello')
  client.pause()
  let last = -1
  await expect
    .poll(
      () => {
        const hasStopped = sent > 0 && sent === last
        last = sent
        return hasStopped
      },
      { interval: 200, timeout: 10_000 },
    )
    .toBe(true)
  // the buffers of the system are some MB
  expect(sent).toBeLessThan(32 * 1024 * 1024)
  let got = 0
  client.on('data', data => {
    got += data.length
  })
  await once(client.resume(), 'end')
  expect(got).toBe('welcome 127.0.0.1\n'.length + 64 * 1024 * 1024)
})

test('a client that goes while neither side reads leaves nothing behind', async () => {
  const server = await startToyServer()
  server.onSession = socket => {
    socket.pause().write(Buffer.alloc(16 * 1024 * 1024), () => socket.resume().on('end', () => socket.end()))
  }
  const { connect, proxy } = await startToyProxy(server.port)
  const client = connect('hello')
  await once(client, 'readable')
  client.write(Buffer.alloc(16 * 1024 * 1024))
  let last = -1
  await expect
    .poll(
      () => {
        const hasStopped = last === client.writableLength
        last = client.writableLength
        return hasStopped
      },
      { interval: 200, timeout: 10_000 },
    )
    .toBe(true)
  expect(client.writableLength).toBeGreaterThan(0)
  client.destroy()
  await expect.poll(() => server.sockets.size, WITHIN).toBe(0)
  await expect.poll(() => sampleOf(proxy, 'jeton_proxy_connections'), WITHIN).toBe(0)
})

test('a server that breaks off is the end for the client, after what it had sent', async () => {
  const server = await startToyServer()
  server.onSession = socket => {
    socket.write('last words')
    setImmediate(() => socket.destroy())
  }
  const { connect, log } = await startToyProxy(server.port)
  expect(await readAll(connect('hello'))).toBe('welcome 127.0.0.1\nlast words')
  expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([])
})

test('more clients than the limit are told so, and those who are in stay', async () => {
  const server = await startToyServer()
  const { connect, proxy } = await startToyProxy(server.port, { maxConnections: 2 })
  const inside = [connect('hello'), connect('hello')]
  for (const client of inside) expect(await readLine(client)).toBe('welcome 127.0.0.1')
  const outside = await Promise.all(Array.from({ length: 50 }, () => readAll(connect('hello'))))
  expect(new Set(outside)).toEqual(
    new Set(['too_many: jeton proxy: there are 2 connections already, as many as it may have\n']),
  )
  expect(server.tokens).toHaveLength(2)
  expect(failuresOf(proxy)).toEqual({ too_many: 50 })
  inside[0]?.end()
  await expect.poll(() => sampleOf(proxy, 'jeton_proxy_connections'), WITHIN).toBe(1)
  expect(await readLine(connect('hello'))).toBe('welcome 127.0.0.1')
})

test('2,000 connections at once are answered, each, and none is left over', async () => {
  const server = await startToyServer()
  const { connect, proxy } = await startToyProxy(server.port, { maxConnections: 50 })
  const answers = await Promise.all(
    Array.from({ length: 2000 }, async (_, index) => {
      const client = connect(index % 20 ? 'nothing' : 'hello')
      const line = await readLine(client).catch(() => 'the end')
      client.destroy()
      return line.replace(/:.*/, '')
    }),
  )
  expect(answers.every(answer => ['welcome 127.0.0.1', 'too_many', 'the end'].includes(answer))).toBe(true)
  await expect.poll(() => sampleOf(proxy, 'jeton_proxy_connections'), WITHIN).toBe(0)
  expect(await readLine(connect('hello'))).toBe('welcome 127.0.0.1')
})

test('a flood of failures fills no log', async () => {
  const server = await startToyServer()
  const clock = virtualClock()
  const { connect, log } = await startToyProxy(server.port, { clock })
  const failures = () => log.lines.filter(({ fields }) => fields.event === 'proxy_session_failed')
  for (let round = 0; round < 30; round++) await readAll(connect('other'))
  expect(failures()).toHaveLength(1)
  await clock.advance(60_000)
  await readAll(connect('other'))
  expect(failures()[1]).toMatchObject({
    fields: { reason: 'unsupported', count: 30 },
    msg: 'jeton proxy: this client says no hello',
  })
})

test('a bug ends one session, and shows nothing secret', async () => {
  const server = await startToyServer()
  const { connect, log } = await startToyProxy(server.port)
  expect(await readAll(connect('bug'))).toBe(
    'unavailable: jeton proxy: a bug; its log has the line proxy_failed\n',
  )
  const line = log.lines.find(({ fields }) => fields.event === 'proxy_failed')
  expect(line?.fields).toMatchObject({ error: 'TypeError' })
  expect(String(line?.fields.stack)).toContain('toy-protocol')
  expect(JSON.stringify(log.lines)).not.toContain('X-Amz-Signature')
  expect(await readLine(connect('hello'))).toBe('welcome 127.0.0.1')
})

test('at the end nobody is accepted, sessions may go on for a while, and are ended then', async () => {
  const server = await startToyServer()
  const clock = virtualClock()
  const { connect, proxy } = await startToyProxy(server.port, { clock })
  const [patient, brief, waiting] = [connect('hello'), connect('hello'), connect()]
  for (const client of [patient, brief]) await readLine(client)
  await expect.poll(() => sampleOf(proxy, 'jeton_proxy_connections'), WITHIN).toBe(3)
  let isClosed = false
  const closing = proxy.close({ drainMs: 5000 }).then(() => {
    isClosed = true
  })
  expect(proxy.health.problem()).toBe('the proxy is ending')
  const [late] = await once(connect(), 'error')
  expect(late.code).toBe('ENOENT')
  brief.end('goodbye')
  expect(await readAll(brief)).toBe('goodbye')
  patient.write('still here\n')
  expect(await readLine(patient)).toBe('still here')
  expect(isClosed).toBe(false)
  const last = readAll(waiting)
  await clock.advance(5000)
  expect(await last).toBe('ending: jeton proxy: the proxy is ending\n')
  await closing
  await expect.poll(() => server.sockets.size, WITHIN).toBe(0)
})

function refusal() {
  return new CallerError('no grant allows it', { exitCode: 3, code: 'access_denied', auditId: '01J' })
}

function away() {
  return new CallerError('jeton.example.com cannot be reached', {
    exitCode: 1,
    isTemporary: true,
    retryAfterMs: 7000,
  })
}

type Proxy = Awaited<ReturnType<typeof startToyProxy>>['proxy']

function sampleOf(proxy: Proxy, name: string): number | undefined {
  return proxy.health.metrics().find(metric => metric.name === name)?.samples[0]?.value
}

function failuresOf(proxy: Proxy) {
  const metric = proxy.health.metrics().find(({ name }) => name === 'jeton_proxy_sessions_failed_total')
  return Object.fromEntries(metric?.samples.map(({ labels, value }) => [labels?.reason, value]) ?? [])
}

async function advanceUntil(clock: ReturnType<typeof virtualClock>, isDone: () => boolean): Promise<void> {
  await expect
    .poll(async () => {
      await clock.advance(1000)
      return isDone()
    })
    .toBe(true)
}
