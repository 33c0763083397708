import { expect, test } from 'vitest'
import { startApi } from '../support/service/app.ts'
import { exchange } from './raw-socket.ts'

/** A request for a token that would be vended, with these lines in its head. */
async function post({ bearer }: Awaited<ReturnType<typeof startApi>>, ...lines: string[]): Promise<string> {
  const head = ['POST /v1/tokens HTTP/1.1', `authorization: ${await bearer()}`, 'connection: close']
  return `${[...head, ...lines].join('\r\n')}\r\n\r\n`
}

const JSON_TYPE = 'content-type: application/json'
const BODY = '{"database":"orders"}'
const LENGTH = `content-length: ${BODY.length}`
const LONG_EXTENSION = `1;${'a'.repeat(20_000)}\r\n`

test.each([
  ['host', ['host: x', 'host: y', JSON_TYPE, LENGTH], BODY],
  ['host', ['host: x', 'Host: x', JSON_TYPE, LENGTH], BODY],
  ['authorization', ['host: x', 'authorization: Bearer other', JSON_TYPE, LENGTH], BODY],
  ['content-type', ['host: x', JSON_TYPE, 'content-type: text/plain', LENGTH], BODY],
  [
    'content-encoding',
    ['host: x', JSON_TYPE, 'content-encoding: identity', 'content-encoding: gzip', LENGTH],
    BODY,
  ],
])('a request with two %s headers is refused, whatever they say: %j', async (name, lines, body) => {
  const api = await startApi()
  const replies = await exchange(api.port, `${await post(api, ...lines)}${body}`)
  expect(replies.map(({ status }) => status)).toEqual([400])
  expect(JSON.parse(replies[0]?.body ?? '')).toMatchObject({
    code: 'invalid_request',
    detail: `the request has more than one ${name} header`,
  })
  expect(api.records).toEqual([])
})

test('a second Host header is seen behind thousands of others', async () => {
  const api = await startApi()
  const bytes = `GET /healthz HTTP/1.1\r\nhost: x\r\n${'a:\r\n'.repeat(5000)}host: y\r\nconnection: close\r\n\r\n`
  expect(await exchange(api.port, bytes)).toMatchObject([
    { status: 400, body: expect.stringContaining('host') },
  ])
})

const CHUNKED = `15\r\n${BODY}\r\n0\r\n\r\n`

test.each([
  ['two lengths that agree', ['host: x', LENGTH, LENGTH], BODY],
  ['a list of lengths', ['host: x', `${LENGTH}, ${BODY.length}`], BODY],
  ['a length with a sign', ['host: x', 'content-length: +21'], BODY],
  ['a length and chunks', ['host: x', LENGTH, 'transfer-encoding: chunked'], CHUNKED],
  ['chunks twice', ['host: x', 'transfer-encoding: chunked', 'transfer-encoding: chunked'], CHUNKED],
  ['chunks before another encoding', ['host: x', 'transfer-encoding: chunked, identity'], CHUNKED],
  ['chunks behind another encoding', ['host: x', 'transfer-encoding: gzip, chunked'], CHUNKED],
  ['another encoding alone', ['host: x', 'transfer-encoding: identity'], BODY],
  ['a header that goes on in the next line', ['host: x', 'x: a\r\n b', LENGTH], BODY],
  ['a space before a colon', ['host : x', LENGTH], BODY],
  ['a line that ends in a bare line feed', ['host: x\nx: y', LENGTH], BODY],
  ['a line that ends in a bare carriage return', ['host: x\rx: y', LENGTH], BODY],
  ['a NUL in a header', ['host: x\0', LENGTH], BODY],
  ['a host with a path', ['host: x/y', LENGTH], BODY],
  ['a host with a user', ['host: user@x', LENGTH], BODY],
  ['two hosts in one header', ['host: x y', LENGTH], BODY],
  ['two hosts that were joined on the way', ['host: x,y', LENGTH], BODY],
  ['a host with two ports', ['host: x:80:81', LENGTH], BODY],
  ['a host with a port that is no number', ['host: x:http', LENGTH], BODY],
  ['an address of IPv6 without brackets', ['host: 2001:db8::1', LENGTH], BODY],
  ['a bracket that stays open', ['host: [::1', LENGTH], BODY],
  [
    'a chunk that is longer than it says',
    ['host: x', 'transfer-encoding: chunked'],
    `1\r\n${BODY}\r\n0\r\n\r\n`,
  ],
  [
    'a chunk size that is no number',
    ['host: x', 'transfer-encoding: chunked'],
    `0x15\r\n${BODY}\r\n0\r\n\r\n`,
  ],
])('a request that two readers may read in two ways is refused once: %s', async (_what, lines, body) => {
  const api = await startApi()
  const replies = await exchange(api.port, `${await post(api, JSON_TYPE, ...lines)}${body}`)
  expect(replies.map(({ status }) => status)).toEqual([400])
  expect(replies[0]?.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(JSON.parse(replies[0]?.body ?? '').code).toBe('invalid_request')
  expect(api.records.map(({ decision }) => decision)).not.toContain('vended')
})

test.each([
  ['two Host headers', 'GET /healthz HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n'],
  ['two Host headers and a path that is none', 'GET /%zz HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n'],
  ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n'],
  [
    'chunks behind another encoding',
    'POST /healthz HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'an encoding that is nearly chunked',
    'POST /healthz HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n',
  ],
])('a request with %s ends the connection: what comes behind it is not answered', async (_what, bytes) => {
  const { port } = await startApi()
  const replies = await exchange(port, `${bytes}GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n`)
  expect(replies).toMatchObject([{ status: 400, headers: { connection: 'close' } }])
})

test.each([
  ['chunks', ['host: x', 'transfer-encoding: Chunked'], CHUNKED],
  ['chunks with extensions', ['host: x', 'transfer-encoding: chunked'], CHUNKED.replace('15', '15;a=b')],
  [
    'trailers, which are dropped',
    ['host: x', 'transfer-encoding: chunked'],
    CHUNKED.replace(/\r\n$/, 'authorization: Bearer x\r\n\r\n'),
  ],
  ['an address and a port as its host', ['host: [::1]:8080', LENGTH], BODY],
  ['an address with a zone as its host', ['host: [fe80::1%eth0]:8080', LENGTH], BODY],
  ['a name and a port as its host', ['host: jeton_1.example.:8080', LENGTH], BODY],
  ['an empty host, which stands for none', ['host:', LENGTH], BODY],
])('a request with %s gets its token', async (_what, lines, body) => {
  const api = await startApi()
  const replies = await exchange(api.port, `${await post(api, JSON_TYPE, ...lines)}${body}`)
  expect(replies.map(({ status }) => status)).toEqual([200])
})

test.each([
  ['chunks in HTTP/1.0', 'POST /v1/tokens HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['HTTP/0.9', 'GET /healthz\r\n\r\n', 400],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['a method that HTTP does not have', 'BREW /healthz HTTP/1.1\r\nhost: x\r\n\r\n', 400],
  ['a tunnel', 'CONNECT db.example:5432 HTTP/1.1\r\nhost: x\r\n\r\n', 404],
  [
    'an upgrade, which is ignored',
    'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n',
    200,
  ],
  [
    'the absolute form of a path',
    'GET http://other/healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    200,
  ],
  ['HTTP/1.0 without a Host', 'GET /healthz HTTP/1.0\r\n\r\n', 200],
  ['a NUL in its path', 'GET /healthz\0 HTTP/1.1\r\nhost: x\r\n\r\n', 400],
  [
    'long extensions of a chunk without a credential, which is looked at first,',
    `POST /v1/tokens HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${LONG_EXTENSION}`,
    401,
  ],
])('%s gets one reply', async (_what, bytes, status) => {
  const { port } = await startApi()
  const replies = await exchange(port, bytes)
  expect(replies.map(reply => reply.status)).toEqual([status])
  if (status !== 200) expect(replies[0]?.headers['content-type']).toMatch(/^application\/problem\+json/)
})

test('long extensions of a chunk are payload_too_large', async () => {
  const api = await startApi()
  const head = await post(api, 'host: x', JSON_TYPE, 'transfer-encoding: chunked')
  expect(await exchange(api.port, `${head}${LONG_EXTENSION}`)).toMatchObject([
    { status: 413, headers: { 'content-type': 'application/problem+json' } },
  ])
})

test('a body with Content-Encoding is unsupported_media_type, and the reply says which encoding is accepted', async () => {
  const api = await startApi()
  const bytes = `${await post(api, 'host: x', JSON_TYPE, 'content-encoding: gzip', LENGTH)}${BODY}`
  const [reply] = await exchange(api.port, bytes)
  expect(reply).toMatchObject({ status: 415, headers: { 'accept-encoding': 'identity' } })
  expect(api.records).toMatchObject([
    { decision: 'refused', code: 'unsupported_media_type', principal: { issuer: 'github' } },
  ])
})

test('Content-Encoding: identity is none', async () => {
  const api = await startApi()
  const bytes = `${await post(api, 'host: x', JSON_TYPE, 'content-encoding: Identity', LENGTH)}${BODY}`
  expect(await exchange(api.port, bytes)).toMatchObject([{ status: 200 }])
})
