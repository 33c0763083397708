import { once } from 'node:events'
import { connect as tlsConnect } from 'node:tls'
import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { createAdminApp } from '../../src/http/admin.ts'
import type { AppOptions } from '../../src/http/app.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { type ApiOptions, startApi } from '../support/service/app.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { openRaw, parseReplies, type RawSocket } from './raw-socket.ts'

const HEALTHZ = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'

/** Starts the API with these limits, and counts what its metrics are told. */
async function startLimited(connections: AppOptions['connections'], more: ApiOptions = {}) {
  const metrics = { open: 0, cut: [] as string[] }
  const api = await startApi({
    ...more,
    options: { connections, ...more.options },
    metrics: {
      onConnectionsChanged: open => {
        metrics.open = open
      },
      onConnectionCut: reason => void metrics.cut.push(reason),
    },
  })
  return { api, metrics }
}

/** Opens a connection and waits until the server has it. */
async function open(
  { port, app }: { port: number; app: { server: NodeJS.EventEmitter } },
  from?: string,
): Promise<RawSocket> {
  const accepted = once(app.server, 'connection')
  const raw = openRaw(port, from === undefined ? {} : { from })
  await accepted
  return raw
}

const isOpen = async (raw: RawSocket) => {
  raw.send(HEALTHZ)
  return Promise.race([
    raw.until('200 OK').then(
      () => true,
      () => false,
    ),
    raw.closed.then(() => false),
  ])
}

test('3,000 silent connections do not keep a caller out, and no more stay open than the limit', async () => {
  const { api, metrics } = await startLimited({ max: 100, maxPerAddress: 40 })
  let accepted = 0
  api.app.server.on('connection', () => accepted++)
  const silent: RawSocket[] = []
  while (silent.length < 3000) {
    // no more at once than the kernel keeps for a server
    for (let i = 0; i < 100; i++) silent.push(openRaw(api.port, { from: `127.0.0.${2 + (i % 4)}` }))
    while (accepted < silent.length) await new Promise(resolve => setImmediate(resolve))
  }
  const reply = await fetch(`${api.url}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: await api.bearer(), 'content-type': 'application/json' },
    body: '{"database":"orders"}',
  })
  expect(reply.status).toBe(200)
  expect(metrics.open).toBeLessThanOrEqual(100)
  expect(metrics.cut.filter(reason => reason === 'idle').length).toBeGreaterThanOrEqual(2900)
  expect(api.log.lines).toMatchObject([
    {
      level: 'warn',
      fields: { event: 'connections_limited', max: 100, maxPerAddress: 40, idle: 1, refused: 0 },
    },
  ])
  for (const { socket } of silent) socket.destroy()
})

test('at its own limit, an address loses the connection that it has not used for longest, and others lose none', async () => {
  const { api, metrics } = await startLimited({ max: 100, maxPerAddress: 3 })
  const other = await open(api, '127.0.0.9')
  const own = [await open(api), await open(api), await open(api)]
  expect(await isOpen(own[0] as RawSocket)).toBe(true)
  own.push(await open(api))
  await own[1]?.closed
  expect(await Promise.all([other, own[0], own[2], own[3]].map(raw => isOpen(raw as RawSocket)))).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect(metrics.cut).toEqual(['idle'])
  expect(metrics.open).toBe(4)
})

test('at the limit in all, the address with the most connections loses one', async () => {
  const { api } = await startLimited({ max: 10, maxPerAddress: 8 })
  const oldest = await open(api, '127.0.0.9')
  const many = []
  for (let i = 0; i < 8; i++) many.push(await open(api, '127.0.0.2'))
  const others = [await open(api, '127.0.0.3'), await open(api, '127.0.0.4')]
  await many[0]?.closed
  for (const raw of [oldest, many[1], ...others]) expect(await isOpen(raw as RawSocket)).toBe(true)
})

test('a connection that jeton is at work for is never closed for another: newcomers are refused', async () => {
  let answer: (() => void) | undefined
  const vend = () =>
    new Promise<never>((_resolve, reject) => {
      answer = () => reject(new Error('over'))
    })
  const { api, metrics } = await startLimited({ max: 1 }, { vend })
  const busy = await open(api)
  const body = '{"database":"orders"}'
  busy.send(
    `POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: ${await api.bearer()}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  while (!answer) await new Promise(resolve => setImmediate(resolve))
  const refused = openRaw(api.port)
  expect(await refused.closed).toBe('')
  expect(metrics.cut).toEqual(['refused'])
  answer()
  await busy.until('internal_error')
  expect(api.log.lines[0]?.fields).toMatchObject({ event: 'connections_limited', refused: 1, idle: 0 })
  // its reply is with the kernel, so it may go now
  expect(await isOpen(await open(api))).toBe(true)
})

test.each([
  ['half a head', () => 'GET /healthz HTTP/1.1\r\nhost:'],
  [
    'half a body',
    (authorization: string) =>
      `POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: ${authorization}\r\ncontent-length: 9\r\n\r\n{`,
  ],
])('a client that has sent %s makes room for another', async (_what, bytesFor) => {
  const { api } = await startLimited({ max: 1 })
  const half = await open(api)
  half.send(bytesFor(await api.bearer()))
  await api.app.inject('/healthz')
  expect(await isOpen(await open(api))).toBe(true)
  expect(await half.closed).toBe('')
})

test('a client that does not read its replies makes room for another', async () => {
  const { api } = await startLimited({ max: 1 })
  const unread = await open(api)
  unread.socket.pause()
  unread.send('GET /v1/ca/global.pem HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(60))
  await once(api.app.server, 'request')
  expect(await isOpen(await open(api))).toBe(true)
  unread.socket.destroy()
})

test('connections that come from proxies are limited in all, not by address', async () => {
  const { api, metrics } = await startLimited({ max: 5 }, { options: { behindProxy: 1 } })
  const all = []
  for (let i = 0; i < 5; i++) all.push(await open(api))
  expect(await Promise.all(all.map(isOpen))).toEqual([true, true, true, true, true])
  expect(metrics).toEqual({ open: 5, cut: [] })
})

test('handshakes that do not go on count, and make room for a client that speaks TLS', async () => {
  const authority = createAuthority()
  const { certPem: cert, keyPem: key } = authority.issue(['127.0.0.1'])
  const { api, metrics } = await startLimited(
    { max: 5, maxPerAddress: 5 },
    { options: { tls: { cert, key } } },
  )
  const silent = []
  for (let i = 0; i < 5; i++) silent.push(await open(api))
  expect(metrics.open).toBe(5)
  const client = tlsConnect({ port: api.port, host: '127.0.0.1', ca: authority.caPem })
  await once(client, 'secureConnect')
  client.write(HEALTHZ)
  const [chunk] = await once(client, 'data')
  expect(String(chunk)).toContain('200 OK')
  expect(metrics.cut).toEqual(['idle'])
  await silent[0]?.closed
  const closed = once(client, 'close')
  client.destroy()
  await closed
  for (const { socket } of silent) socket.destroy()
})

test('a handshake that does not go on is ended without a word', async () => {
  const { certPem: cert, keyPem: key } = createAuthority().issue(['127.0.0.1'])
  const { api } = await startLimited({ max: 5 }, { options: { tls: { cert, key }, requestTimeoutMs: 200 } })
  const raw = await open(api)
  expect(await raw.closed).toBe('')
})

test('a silent connection is ended, over plain HTTP with the reason', async () => {
  const { api, metrics } = await startLimited({ max: 5 }, { options: { requestTimeoutMs: 200 } })
  const replies = parseReplies(await (await open(api)).closed)
  expect(replies).toMatchObject([{ status: 400, body: expect.stringContaining('in time') }])
  expect(metrics.cut).toEqual([])
})

test('a client that reads a little now and then is cut off all the same', async () => {
  const { api, metrics } = await startLimited({ max: 5 }, { options: { replyTimeoutMs: 300 } })
  const slow = await open(api)
  slow.socket.pause()
  slow.send('GET /v1/ca/global.pem HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(60))
  const sips = setInterval(() => slow.socket.read(1), 20)
  onTestFinished(() => clearInterval(sips))
  while (metrics.open > 0) await new Promise(resolve => setTimeout(resolve, 20))
  expect(metrics.cut).toEqual(['unread'])
  slow.socket.destroy()
})

test('a client that reads its replies is not cut off, however long it stays', async () => {
  const { api, metrics } = await startLimited({ max: 5 }, { options: { replyTimeoutMs: 50 } })
  const raw = await open(api)
  for (let i = 0; i < 5; i++) {
    expect(await isOpen(raw)).toBe(true)
    await new Promise(resolve => setTimeout(resolve, 40))
  }
  expect(metrics.cut).toEqual([])
  raw.socket.destroy()
})

test('the listener of /metrics has limits too', async () => {
  const log = createLogRecorder()
  const app = createAdminApp(
    new Registry(),
    { clock: virtualClock(), log },
    { connections: { max: 2 }, requestTimeoutMs: 300 },
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  const address = app.server.address()
  const admin = { app, port: typeof address === 'object' && address ? address.port : 0 }
  const silent = [await open(admin), await open(admin)]
  const scraper = await open(admin)
  scraper.send('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
  await scraper.until('200 OK')
  await silent[0]?.closed
  expect(log.lines).toMatchObject([{ fields: { event: 'connections_limited', idle: 1, refused: 0, max: 2 } }])
  // and the other is cut off, since it says nothing
  expect(await silent[1]?.closed).toContain('in time')
  scraper.socket.destroy()
})

test('beyond loopback, no address takes the connections of operators, however many it opens', async () => {
  const parts = { clock: virtualClock(), log: createLogRecorder() }
  const app = createAdminApp(new Registry(), parts, { host: '0.0.0.0' })
  await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  const address = app.server.address()
  const admin = { app, port: typeof address === 'object' && address ? address.port : 0 }
  // in the midst of its handshake or request
  const operator = await open(admin)
  operator.send('GET /metrics HTTP/1.1\r\n')
  const others: RawSocket[] = []
  for (let i = 0; i < 60; i++) others.push(await open(admin, '127.0.0.2'))
  operator.send('host: x\r\n\r\n')
  await operator.until('200 OK')
  for (const { socket } of [operator, ...others]) socket.destroy()
})
