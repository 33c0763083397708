import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { startApi, type TestApi } from '../support/service/app.ts'

/** Sends bytes on a bare socket and returns all that arrives until the server closes it. */
function exchange({ port }: TestApi, ...parts: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      for (const part of parts) socket.write(part)
    })
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', chunk => {
      text += chunk
    })
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
}

function parsed(text: string) {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const [status = '', ...headers] = head.split('\r\n')
  return { status, headers: headers.join('\n').toLowerCase(), problem: JSON.parse(body) }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}

test.each([
  ['one header over 32 KiB', `GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(33_000)}\r\n\r\n`],
  [
    'headers far over 32 KiB',
    `GET /healthz HTTP/1.1\r\nhost: x\r\n${'x-more: aaaaaaaa\r\n'.repeat(200_000)}\r\n`,
  ],
  ['an address over 32 KiB', `GET /${'a'.repeat(40_000)} HTTP/1.1\r\nhost: x\r\n\r\n`],
])('%s is answered with 431', async (_what, bytes) => {
  const { status, headers, problem } = parsed(await exchange(await startApi(), bytes))
  expect(status).toBe('HTTP/1.1 431 Request Header Fields Too Large')
  expect(headers).toContain('content-type: application/problem+json')
  expect(headers).toContain('connection: close')
  expect(problem).toEqual({
    type: 'urn:jeton:problem:headers_too_large',
    code: 'headers_too_large',
    title: 'The headers are too large',
    status: 431,
    detail: 'the headers must be 32 KiB or less',
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
})

test('a JWT of 16 KiB fits into the headers', async () => {
  const api = await startApi()
  const authorization = await api.bearer({ more: 'a'.repeat(11_500) })
  expect(authorization.length).toBeGreaterThan(15_500)
  const reply = await api.app.inject({ url: '/v1/databases', headers: { authorization } })
  expect(reply.statusCode).toBe(200)
})

test.each([
  ['garbage', '\x00\x01\x02garbage\r\n\r\n'],
  ['TLS on the plain port', '\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03'],
  ['a length that is not a number', 'POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n'],
  [
    'a body of two lengths',
    'POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
  ],
  [
    'a body with a length and in chunks, as smuggled requests have',
    'POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'a header with a bare line feed',
    'GET /healthz HTTP/1.1\r\nhost: x\r\nx: a\nauthorization: b\r\n\r\n'.replace('\nauth', '\n\x00auth'),
  ],
])('%s is answered with 400 and the connection closed', async (_what, bytes) => {
  const api = await startApi()
  const { status, problem } = parsed(await exchange(api, bytes))
  expect(status).toBe('HTTP/1.1 400 Bad Request')
  expect(problem).toMatchObject({ code: 'invalid_request', status: 400, detail: 'this is not HTTP' })
  expect(api.records).toEqual([])
})

test('a client that sends something other than HTTP, even after the reply, is cut off after 2 s', async () => {
  const api = await startApi()
  const socket = connect({ port: api.port, host: '127.0.0.1', allowHalfOpen: true })
  const closed = new Promise(resolve => socket.once('close', resolve))
  socket.on('error', () => {}).resume()
  socket.write('garbage\r\n\r\n')
  await once(socket, 'end')
  const talk = () => void (socket.destroyed || socket.write('more', () => setImmediate(talk)))
  talk()
  await api.clock.advance(1999)
  expect(await connections(api)).toBe(1)
  await api.clock.advance(1)
  await closed
  expect(await connections(api)).toBe(0)
})

function connections({ app }: TestApi): Promise<number> {
  return new Promise(resolve => app.server.getConnections((_error, count) => resolve(count)))
}

test('headers that never end are cut off', async () => {
  const api = await startApi({ options: { requestTimeoutMs: 200 } })
  const { status, problem } = parsed(await exchange(api, 'GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: '))
  expect(status).toBe('HTTP/1.1 400 Bad Request')
  expect(problem.detail).toBe('the request did not arrive completely in time')
})

test('a body that never ends is cut off and recorded as a fault of the caller', async () => {
  const api = await startApi({ options: { requestTimeoutMs: 1000 } })
  const { status, problem } = parsed(await exchange(api, ...(await postOf(api, 100)), '{"database":'))
  expect(status).toBe('HTTP/1.1 400 Bad Request')
  expect(problem).toMatchObject({
    code: 'invalid_request',
    detail: 'the request did not arrive completely in time',
  })
  await until(() => api.records.length > 0)
  expect(api.records).toMatchObject([
    { decision: 'refused', code: 'invalid_request', principal: { issuer: 'github' } },
  ])
  expect(api.log.lines).toEqual([])
})

test.each([
  ['before anything is read of it', 'request'],
  ['while it is read', 'resume'],
])(
  'a caller that goes away in the middle of its body, %s, is not recorded as a failure of jeton',
  async (_when, moment) => {
    const api = await startApi()
    const [head] = await postOf(api, 100)
    const socket = connect(api.port, '127.0.0.1', () => socket.write(`${head}{"data`))
    api.app.server.once('request', reading => {
      if (moment === 'request') socket.destroy()
      else reading.once('resume', () => socket.destroy())
    })
    await until(() => api.records.length > 0)
    expect(api.records).toMatchObject([
      { decision: 'refused', code: 'invalid_request', reason: 'the body did not arrive completely' },
    ])
    expect(api.log.lines).toEqual([])
  },
)

test('a connection is kept for many requests, refused ones among them', async () => {
  const api = await startApi()
  const [head = ''] = await postOf(api, 21)
  const refused = 'POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabcde'
  const last = 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'
  const text = await exchange(api, `${head}{"database":"orders"}`, refused, last)
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401', 'HTTP/1.1 200'])
})

test('idle connections are kept longer than load balancers keep theirs', async () => {
  const { app } = await startApi()
  expect(app.server.keepAliveTimeout).toBeGreaterThan(60_000)
})

async function postOf({ bearer }: TestApi, contentLength: number): Promise<string[]> {
  const head = ['POST /v1/tokens HTTP/1.1', 'host: x', 'content-type: application/json']
  const lines = [...head, `authorization: ${await bearer()}`, `content-length: ${contentLength}`, '', '']
  return [lines.join('\r\n')]
}

/** In one write, so that the server reads and parses them together: apart, Node stops reading before there are 64. */
const pipelined = (requests: number) => 'GET /v1/ca/global.pem HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(requests)

test('a client that pipelines hundreds of requests and reads no reply is cut off', async () => {
  const { app, port } = await startApi()
  // so that the timeout of silent connections is not what cuts it off
  app.server.setTimeout(0)
  const cutOff = new Promise(resolve => {
    app.server.once('connection', socket => socket.once('close', resolve))
  })
  const client = connect(port, '127.0.0.1').pause()
  client.on('error', () => {})
  client.write(pipelined(1000))
  await cutOff
  client.destroy()
})

test('a client that pipelines 63 requests and one more gets every reply', async () => {
  const last = 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'
  const text = await exchange(await startApi(), pipelined(63) + last)
  expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(64)
})

test.each([
  ['no Host header', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
  [
    'an unknown expectation',
    'GET /nothing HTTP/1.1\r\nhost: x\r\nexpect: more\r\nconnection: close\r\n\r\n',
    'HTTP/1.1 404 Not Found',
  ],
])('%s is answered with problem+json and a request id', async (_what, bytes, expected) => {
  const { status, headers, problem } = parsed(await exchange(await startApi(), bytes))
  expect(status).toBe(expected)
  expect(headers).toContain('application/problem+json')
  expect(headers).toContain(`x-request-id: ${problem.requestId}`)
})
