import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { type AppWorld, appWorld } from '../support/service/app.ts'

/** Sends bytes on a bare socket and gives all that comes until the server closes it. */
function exchange({ port }: AppWorld, ...parts: string[]): Promise<string> {
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

/** Until the server has done what it does by itself. */
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
  const { status, headers, problem } = parsed(await exchange(await appWorld(), bytes))
  expect(status).toBe('HTTP/1.1 431 Request Header Fields Too Large')
  expect(headers).toContain('content-type: application/problem+json')
  expect(headers).toContain('connection: close')
  expect(problem).toEqual({
    type: 'about:blank',
    code: 'headers_too_large',
    title: 'The headers are too large',
    status: 431,
    detail: 'the headers fit into 32 KiB',
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
})

test('a JWT of 16 KiB fits into the headers', async () => {
  const world = await appWorld()
  const authorization = await world.bearer({ more: 'a'.repeat(11_500) })
  expect(authorization.length).toBeGreaterThan(15_500)
  const reply = await world.app.inject({ url: '/v1/databases', headers: { authorization } })
  expect(reply.statusCode).toBe(200)
})

test.each([
  ['garbage', '\x00\x01\x02garbage\r\n\r\n'],
  ['TLS on the plain port', '\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03'],
  ['a length that is no number', 'POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n'],
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
  const world = await appWorld()
  const { status, problem } = parsed(await exchange(world, bytes))
  expect(status).toBe('HTTP/1.1 400 Bad Request')
  expect(problem).toMatchObject({ code: 'invalid_request', status: 400, detail: 'this is not HTTP' })
  expect(world.records).toEqual([])
})

test('who is answered that it spoke no HTTP, and goes on talking, is put out after 2 s', async () => {
  const world = await appWorld()
  const socket = connect({ port: world.port, host: '127.0.0.1', allowHalfOpen: true })
  const closed = new Promise(resolve => socket.once('close', resolve))
  socket.on('error', () => {}).resume()
  socket.write('garbage\r\n\r\n')
  await once(socket, 'end')
  const talk = () => void (socket.destroyed || socket.write('more', () => setImmediate(talk)))
  talk()
  await world.clock.advance(1999)
  expect(await connections(world)).toBe(1)
  await world.clock.advance(1)
  await closed
  expect(await connections(world)).toBe(0)
})

function connections({ app }: AppWorld): Promise<number> {
  return new Promise(resolve => app.server.getConnections((_error, count) => resolve(count)))
}

test('headers that never end are cut off', async () => {
  const world = await appWorld({ options: { requestTimeoutMs: 200 } })
  const { status, problem } = parsed(await exchange(world, 'GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: '))
  expect(status).toBe('HTTP/1.1 400 Bad Request')
  expect(problem.detail).toBe('the request did not arrive whole in time')
})

test('a body that never ends is cut off; that is the fault of the caller, and told as such', async () => {
  const world = await appWorld({ options: { requestTimeoutMs: 1000 } })
  const { status, problem } = parsed(await exchange(world, ...(await postOf(world, 100)), '{"database":'))
  expect(status).toBe('HTTP/1.1 400 Bad Request')
  expect(problem).toMatchObject({
    code: 'invalid_request',
    detail: 'the request did not arrive whole in time',
  })
  await until(() => world.records.length > 0)
  expect(world.records).toMatchObject([
    { decision: 'refused', code: 'invalid_request', principal: { issuer: 'github' } },
  ])
  expect(world.log.lines).toEqual([])
})

test.each([
  ['before anything is read of it', 'request'],
  ['while it is read', 'resume'],
])('a caller that goes away in the middle of its body, %s, is no failure of jeton', async (_when, moment) => {
  const world = await appWorld()
  const [head] = await postOf(world, 100)
  const socket = connect(world.port, '127.0.0.1', () => socket.write(`${head}{"data`))
  world.app.server.once('request', reading => {
    if (moment === 'request') socket.destroy()
    else reading.once('resume', () => socket.destroy())
  })
  await until(() => world.records.length > 0)
  expect(world.records).toMatchObject([
    { decision: 'refused', code: 'invalid_request', reason: 'the body did not arrive whole' },
  ])
  expect(world.log.lines).toEqual([])
})

test('a connection is kept for many requests, refused ones among them', async () => {
  const world = await appWorld()
  const [head = ''] = await postOf(world, 21)
  const refused = 'POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabcde'
  const last = 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'
  const text = await exchange(world, `${head}{"database":"orders"}`, refused, last)
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401', 'HTTP/1.1 200'])
})

test('idle connections are kept for longer than load balancers keep theirs', async () => {
  const { app } = await appWorld()
  expect(app.server.keepAliveTimeout).toBeGreaterThan(60_000)
})

async function postOf({ bearer }: AppWorld, contentLength: number): Promise<string[]> {
  const head = ['POST /v1/tokens HTTP/1.1', 'host: x', 'content-type: application/json']
  const lines = [...head, `authorization: ${await bearer()}`, `content-length: ${contentLength}`, '', '']
  return [lines.join('\r\n')]
}

test('who asks on and on and reads none of the answers is cut off', async () => {
  const { port } = await appWorld()
  const socket = connect(port, '127.0.0.1')
  let isCutOff = false
  socket.on('error', () => {
    isCutOff = true
  })
  socket.pause()
  await once(socket, 'connect')
  const ask = 'GET /v1/ca/global.pem HTTP/1.1\r\nhost: x\r\n\r\n'
  await until(() => {
    if (!isCutOff && socket.writableLength < 65_536) socket.write(ask)
    return isCutOff
  })
  expect(isCutOff).toBe(true)
  socket.destroy()
})

test.each([
  ['no Host header', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
  [
    'an unknown expectation',
    'GET /nothing HTTP/1.1\r\nhost: x\r\nexpect: more\r\nconnection: close\r\n\r\n',
    'HTTP/1.1 404 Not Found',
  ],
])('%s is answered as any other request is', async (_what, bytes, expected) => {
  const { status, headers, problem } = parsed(await exchange(await appWorld(), bytes))
  expect(status).toBe(expected)
  expect(headers).toContain('application/problem+json')
  expect(headers).toContain(`x-request-id: ${problem.requestId}`)
})
