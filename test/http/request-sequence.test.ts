import { once } from 'node:events'
import { expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import type { Vended, VendToken } from '../../src/vending/vend-token.ts'
import { startApi } from '../support/service/app.ts'
import { openRaw, parseReplies } from './raw-socket.ts'

/** Vends wait until the test lets the next one go on, which fails: what matters is when it is answered. */
function heldVends() {
  const held: (() => void)[] = []
  const vend: VendToken = () =>
    new Promise<Vended>((_resolve, reject) => {
      held.push(() =>
        reject(new JetonError('throttled', { publicMessage: 'no slot is near enough', retryAfterMs: 1000 })),
      )
    })
  return { held, vend }
}

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}

const BODY = '{"database":"orders"}'

async function startHeld() {
  const { held, vend } = heldVends()
  const api = await startApi({ vend })
  const authorization = await api.bearer()
  const lines = [
    'POST /v1/tokens HTTP/1.1',
    'host: x',
    'content-type: application/json',
    `authorization: ${authorization}`,
  ]
  const post = (length: number | string) => `${[...lines, `content-length: ${length}`].join('\r\n')}\r\n\r\n`
  return { api, held, head: lines.join('\r\n'), post, request: `${post(BODY.length)}${BODY}` }
}

test('garbage behind a request does not overtake its reply', async () => {
  const { api, held, request } = await startHeld()
  const raw = openRaw(api.port)
  raw.send(`${request}garbage\r\n\r\n`)
  await until(() => held.length === 1)
  // long enough for a reply that waits for nothing
  await api.app.inject('/healthz')
  expect(raw.received()).toBe('')
  held[0]?.()
  const replies = parseReplies(await raw.closed)
  expect(replies.map(({ status }) => status)).toEqual([429, 400])
  expect(JSON.parse(replies[1]?.body ?? '').detail).toBe('this is not HTTP')
  expect(api.records).toMatchObject([{ code: 'throttled' }])
})

test('garbage does not overtake the replies to many requests, and comes once', async () => {
  const { api, held, request } = await startHeld()
  const raw = openRaw(api.port)
  raw.send(`${request.repeat(3)}garbage\r\n\r\n`)
  for (let i = 0; i < 3; i++) {
    await until(() => held.length === i + 1)
    raw.send('more garbage\r\n\r\n')
    held[i]?.()
  }
  expect(parseReplies(await raw.closed).map(({ status }) => status)).toEqual([429, 429, 429, 400])
})

test('headers that are too large do not overtake a reply either', async () => {
  const { api, held, request } = await startHeld()
  const raw = openRaw(api.port)
  raw.send(`${request}GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(33_000)}\r\n\r\n`)
  await until(() => held.length === 1)
  held[0]?.()
  expect(parseReplies(await raw.closed).map(({ status }) => status)).toEqual([429, 431])
})

test('a tunnel that is asked for behind a request does not overtake its reply', async () => {
  const { api, held, request } = await startHeld()
  const raw = openRaw(api.port)
  raw.send(`${request}CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n`)
  await until(() => held.length === 1)
  held[0]?.()
  expect(parseReplies(await raw.closed).map(({ status }) => status)).toEqual([429, 404])
})

test('a body that turns out to be garbage is answered once, behind the request before it', async () => {
  const { api, held, request, head } = await startHeld()
  const raw = openRaw(api.port)
  raw.send(`${request}${head}\r\ntransfer-encoding: chunked\r\n\r\nnot a size\r\n`)
  await until(() => held.length === 1)
  held[0]?.()
  expect(parseReplies(await raw.closed).map(({ status }) => status)).toEqual([429, 400])
  expect(held).toHaveLength(1)
})

test('a request that has its reply gets no second one for its body', async () => {
  const api = await startApi()
  const raw = openRaw(api.port)
  raw.send('POST /v1/tokens HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n')
  await raw.until('unauthenticated')
  raw.send('not a size\r\n')
  expect(parseReplies(await raw.closed).map(({ status }) => status)).toEqual([401])
})

test('requests of one connection are decided one after the other', async () => {
  const { api, held, request } = await startHeld()
  const raw = openRaw(api.port)
  raw.send(request.repeat(3))
  for (let i = 0; i < 3; i++) {
    await until(() => held.length === i + 1)
    await api.app.inject('/healthz')
    expect(held).toHaveLength(i + 1)
    held[i]?.()
  }
  await raw.until('throttled')
  raw.socket.destroy()
})

test('what is asked for behind a reply that closes the connection is not done', async () => {
  const { api, held, request } = await startHeld()
  const raw = openRaw(api.port)
  raw.send(`${request.replace('host: x', 'host: x\r\nconnection: close')}${request}`)
  await until(() => held.length === 1)
  held[0]?.()
  expect(parseReplies(await raw.closed).map(({ status }) => status)).toEqual([429])
  expect(held).toHaveLength(1)
})

test('what a client asked for before it went away is not done', async () => {
  const { api, held, request } = await startHeld()
  const lost = once(api.app.server, 'connection').then(([socket]) => once(socket, 'close'))
  const raw = openRaw(api.port)
  raw.send(request.repeat(2))
  await until(() => held.length === 1)
  raw.socket.destroy()
  await lost
  held[0]?.()
  await api.app.inject('/healthz')
  expect(held).toHaveLength(1)
})

test('a client that waits for 100 Continue is asked for its body only with a credential that verifies', async () => {
  const { api, held, head } = await startHeld()
  const expecting = `\r\nexpect: 100-continue\r\ncontent-length: ${BODY.length}\r\n\r\n`
  const known = openRaw(api.port)
  known.send(`${head}${expecting}`)
  await known.until('HTTP/1.1 100 Continue\r\n\r\n')
  known.send(BODY)
  await until(() => held.length === 1)
  held[0]?.()
  await known.until('throttled')
  known.socket.destroy()

  const unknown = openRaw(api.port)
  unknown.send(`${head.replace(/Bearer .*/, 'Bearer nonsense')}${expecting}`)
  // Node ends the connection, since nobody knows whether the body follows
  expect(parseReplies(await unknown.closed).map(({ status }) => status)).toEqual([401])
})

test('a client that waits for 100 Continue with a body that is compressed is not asked for it', async () => {
  const { api, held, head } = await startHeld()
  const raw = openRaw(api.port)
  raw.send(`${head}\r\nexpect: 100-continue\r\ncontent-encoding: br\r\ncontent-length: 9\r\n\r\n`)
  expect(parseReplies(await raw.closed).map(({ status }) => status)).toEqual([415])
  expect(held).toHaveLength(0)
})

test('a client that waits for 100 Continue with a body that is too large is not asked for it', async () => {
  const { api, head } = await startHeld()
  const raw = openRaw(api.port)
  raw.send(`${head}\r\nexpect: 100-continue\r\ncontent-length: 16385\r\n\r\n`)
  expect(parseReplies(await raw.closed).map(({ status }) => status)).toEqual([413])
  expect(api.records).toMatchObject([{ decision: 'refused', code: 'payload_too_large' }])
})
