import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openConnection } from '../support/raw-http/connection.ts'
import { type Attack, bytesOf, startTarget } from './target.ts'

/** Bytes on a bare socket. The attacker is entitled to a token here, so that what gets past would show as one. */
async function sendAll(parts: (request: (attack?: Attack) => string) => string) {
  const target = await startTarget()
  const authorization = `ApiKey ${target.apiKey}`
  const connection = await openConnection(target.port)
  const request = (attack: Attack = {}) => bytesOf({ authorization, ...attack }).toString('latin1')
  const replies = await connection.exchangeLast(Buffer.from(parts(request), 'latin1'), { isHead: false })
  const records = await target.records()
  return {
    statuses: replies.map(({ status }) => status),
    decisions: records.map(({ decision }) => decision),
    types: replies.map(({ headers }) => headers.get('content-type')),
  }
}

const REFUSED_AT_ONCE = { statuses: [400], decisions: [], types: ['application/problem+json'] }
const SMUGGLED = 'POST /v1/tokens HTTP/1.1\r\nHost: x\r\n\r\n'

describe('a request within a request, for a proxy that reads the length otherwise', () => {
  test.each([
    ['two lengths', 'Content-Length: 21\r\nContent-Length: 22'],
    ['two lengths in one header', 'Content-Length: 21, 22'],
    ['a length and chunks', 'Content-Length: 21\r\nTransfer-Encoding: chunked'],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 21'],
    ['a negative length', 'Content-Length: -21'],
    ['a length with a sign', 'Content-Length: +21'],
    ['a length in hex', 'Content-Length: 0x15'],
    ['a length of more than 64 bits', 'Content-Length: 18446744073709551637'],
    ['chunks that are not the last encoding', 'Transfer-Encoding: chunked, gzip'],
    ['a space before the colon', 'Transfer-Encoding : chunked'],
    ['a folded header', 'X: y\r\n Transfer-Encoding: chunked'],
    ['a null byte in a name', 'Transfer\u0000-Encoding: chunked'],
    ['a header without a name', ': chunked'],
    ['a lone carriage return', 'X: y\rTransfer-Encoding: chunked'],
  ])('%s', async (_name, framing) => {
    const head = 'POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json'
    const outcome = await sendAll(() => `${head}\r\n${framing}\r\n\r\n{"database":"orders"}${SMUGGLED}`)
    expect(outcome).toEqual(REFUSED_AT_ONCE)
  })

  test.each([
    ['a chunk whose size is no number', 'G\r\nxx\r\n0\r\n\r\n'],
    ['a chunk of more than 64 bits', 'FFFFFFFFFFFFFFFFF\r\nxx\r\n0\r\n\r\n'],
    ['a chunk that ends without a line break', '2\r\n{}x\r\n0\r\n\r\n'],
    ['a negative chunk', '-2\r\n{}\r\n0\r\n\r\n'],
  ])('%s', async (_name, chunks) => {
    const outcome = await sendAll(
      request =>
        `${request({
          body: '',
          headers: [
            ['Transfer-Encoding', 'chunked'],
            ['Content-Type', 'application/json'],
          ],
        })}${chunks}`,
    )
    expect(outcome.statuses).toEqual([400])
    expect(outcome.decisions).not.toContain('vended')
  })

  test('a credential in a trailer does not count', async () => {
    const { statuses } = await sendAll(request => {
      const credential = /Authorization: .*/.exec(request())?.[0]
      const head =
        'POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked'
      return `${head}\r\n\r\n15\r\n{"database":"orders"}\r\n0\r\n${credential}\r\n\r\n`
    })
    expect(statuses).toEqual([401])
  })

  test('chunks by a name that only some understand', async () => {
    const headers = [
      ['Transfer-Encoding', 'xchunked'],
      ['Content-Type', 'application/json'],
    ] as const
    const { statuses, decisions } = await sendAll(
      request => `${request({ body: '', headers })}0\r\n\r\n${request()}`,
    )
    expect(statuses).toEqual([400])
    expect(decisions).not.toContain('vended')
  })

  test('a body that is a request is a body', async () => {
    const { statuses } = await sendAll(request =>
      request({ body: request(), headers: [['Connection', 'close']] }),
    )
    expect(statuses).toEqual([400])
  })
})

describe('what is no request', () => {
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['TLS on the plain port', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version that nobody has', 'GET /healthz HTTP/7.3\r\nHost: x\r\n\r\n'],
    ['a method that nobody has', 'STEAL /v1/tokens HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a method in small letters', 'post /v1/tokens HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a path with a space', 'GET /v1/ tokens HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a path with a null byte', 'GET /v1/tokens\u0000 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a head that ends in the middle', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow'],
  ])('%s', async (_name, bytes) => {
    expect(await sendAll(() => bytes)).toEqual(REFUSED_AT_ONCE)
  })

  test.each([
    ['a header of 40 KB', `X: ${'a'.repeat(40_000)}`],
    ['5,000 headers', Array(5000).fill('X-More: aaaa').join('\r\n')],
    ['a cookie of 33 KB', `Cookie: ${'c'.repeat(33_000)}`],
  ])('%s', async (_name, header) => {
    const { statuses, types } = await sendAll(() => `GET /healthz HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`)
    expect({ statuses, types }).toEqual({ statuses: [431], types: ['application/problem+json'] })
  })
})

describe('what comes behind a request does not overtake its reply', () => {
  test.each([
    ['garbage', 'GARBAGE\r\n\r\n'],
    ['TLS', '\u0016\u0003\u0001\u0002'],
    ['a request without a Host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['headers that are too large', `GET /healthz HTTP/1.1\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`],
  ])('%s', async (_name, behind) => {
    const { port, apiKey, environment } = await startTarget()
    // the token takes so long that anything else would be quicker
    environment.sts.faults.delayMs = 300
    const connection = await openConnection(port)
    const bytes = Buffer.concat([
      bytesOf({ authorization: `ApiKey ${apiKey}` }),
      Buffer.from(behind, 'latin1'),
    ])
    const reply = await connection.exchange(bytes, { isHead: false })
    connection.close()
    expect(reply?.status).toBe(200)
    expect(JSON.parse(String(reply?.body))).toMatchObject({ database: 'orders' })
  })
})

describe('connections', () => {
  const open = (port: number, localAddress: string) => {
    const socket = connectPlain({ port, host: '127.0.0.1', localAddress })
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
    return socket
  }
  const isAlive = (socket: Socket) => !socket.destroyed && socket.readyState === 'open'

  test('thousands of silent ones from one address are not all taken, and others are served', async () => {
    const { port } = await startTarget()
    const silent: Socket[] = []
    for (let i = 0; i < 15; i++) {
      const some = Array.from({ length: 100 }, () => open(port, '127.0.0.2'))
      await Promise.all(some.map(socket => Promise.race([once(socket, 'connect'), once(socket, 'close')])))
      silent.push(...some.map(socket => socket.resume()))
    }
    const taken = () => silent.filter(isAlive).length
    await expect.poll(taken).toBeLessThan(silent.length)
    expect(taken()).toBeGreaterThan(0)

    const honest = open(port, '127.0.0.3')
    honest.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    const [head] = await once(honest, 'data')
    expect(String(head)).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('a client that pipelines and never reads is cut off', async () => {
    const { port } = await startTarget()
    const socket = open(port, '127.0.0.1').pause()
    socket.write('GET /v1/ca/global.pem HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(500))
    await once(socket, 'connect')
    await expect
      .poll(
        () =>
          new Promise(resolve =>
            socket.write('\r\n', error => resolve(error !== undefined && error !== null)),
          ),
      )
      .toBe(true)
  })
})

describe('TLS', () => {
  const agree = async (options: ConnectionOptions) => {
    const { port, environment } = await startTarget({ tls: true })
    const socket = connectTls({ port, host: '127.0.0.1', ca: environment.authority.caPem, ...options })
    onTestFinished(() => void socket.destroy())
    const failed = once(socket, 'error').then(([error]) => ({ failed: (error as { code: string }).code }))
    const agreed = once(socket, 'secureConnect').then(() => ({ agreed: socket.getCipher().name }))
    failed.catch(() => {})
    agreed.catch(() => {})
    return Promise.race([failed, agreed])
  }

  test.each([
    ['CBC with SHA-1', 'ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA'],
    ['CBC with SHA-256', 'ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256'],
    ['CBC with SHA-384', 'ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384'],
    ['a key exchange without forward secrecy', 'AES128-GCM-SHA256:AES256-GCM-SHA384'],
  ])('TLS 1.2 with %s is not agreed to', async (_name, ciphers) => {
    const options = {
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      ciphers: `${ciphers}:@SECLEVEL=0`,
    } as const
    expect(await agree(options)).toEqual({ failed: expect.stringMatching(/HANDSHAKE_FAILURE|ALERT/) })
  })

  test.each(['TLSv1', 'TLSv1.1'] as const)('%s is not agreed to', async version => {
    const options = { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' }
    expect(await agree(options)).toEqual({ failed: expect.stringMatching(/VERSION|ALERT/) })
  })

  test.each([
    ['TLSv1.2', /GCM|CHACHA20/],
    ['TLSv1.3', /GCM|CHACHA20/],
  ] as const)('%s is, with authenticated encryption', async (version, cipher) => {
    const options = { minVersion: version, maxVersion: version }
    expect(await agree(options)).toEqual({ agreed: expect.stringMatching(cipher) })
  })
})
