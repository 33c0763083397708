import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ApiStub, sampleReply, startApiStub } from '../../support/service/api-stub.ts'
import { examine } from './support.ts'

let api: ApiStub
beforeAll(async () => {
  api = await startApiStub()
})
afterAll(() => api.close())

/** Nobody gets the token, or learns who would log in, before TLS has shown who it is. */
describe('what is no database with TLS gets no token:', () => {
  let server: Server
  let received: Buffer[]
  let answer: (socket: Socket) => void
  let reply: ReturnType<typeof sampleReply>
  beforeEach(async () => {
    received = []
    server = createServer(socket => {
      socket.on('error', () => {}).on('data', chunk => received.push(chunk))
      answer(socket)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as { port: number }
    reply = sampleReply({ connect: `127.0.0.1:${port}` })
  })
  afterEach(() => {
    server.close()
    const bytes = Buffer.concat(received).toString('latin1')
    expect(bytes).not.toContain(reply.token.slice(-64))
    expect(bytes).not.toContain(reply.user)
  })

  const onRequest = (bytes: string, { end = false } = {}) => {
    answer = socket =>
      socket.once('data', () => {
        socket.write(Buffer.from(bytes, 'latin1'))
        if (end) socket.end()
      })
  }

  test.each<[string, () => void, string]>([
    ['N', () => onRequest('N'), 'the server has no TLS'],
    ['nothing', () => onRequest(''), 'takes connections and says nothing'],
    ['its end', () => onRequest('', { end: true }), 'the connection ended before TLS was there'],
    ['HTTP', () => onRequest('HTTP/1.1 400 Bad Request\r\n\r\n'), 'something else listens there'],
    ['S and more', () => onRequest('SR\0\0\0\x08\0\0\0\x03'), 'something else listens there'],
    ['S and no TLS', () => onRequest('S', { end: true }), 'the connection ended before TLS was there'],
    ['S and nothing', () => onRequest('S'), 'large packets may be lost on the way'],
    [
      'half of a refusal',
      () => onRequest('E\0\0\x01\0half', { end: true }),
      'the connection ended before TLS',
    ],
    ['a refusal without end', () => onRequest('E\x7f\0\0\0'), 'something else listens there'],
    ['a refusal', () => onRequest('E\0\0\0\x16C53300\0Mtoo many\0\0'), 'the server has no connection left'],
  ])('a PostgreSQL that answers %s', async (_, prepare, means) => {
    prepare()
    expect(await examine(api, reply)).toMatchObject({
      code: 1,
      failed: { step: 'tls' },
      means: expect.stringContaining(means),
    })
  })

  const packet = (payload: string) => `${String.fromCharCode(payload.length)}\0\0\0${payload}`
  const greeting = (flags: string) =>
    packet(
      `\x0a8.0.0\0${'i'.repeat(12)}\0${flags}\x15${'\0'.repeat(10)}${'s'.repeat(13)}mysql_native_password\0`,
    )

  test.each<[string, string, string]>([
    ['nothing', '', 'takes connections and says nothing'],
    [
      'half a greeting',
      greeting('\xff\xff\x2d\x02\0\xff\xdf').slice(0, 40),
      'takes connections and says nothing',
    ],
    ['no TLS', greeting('\xff\xf7\x2d\x02\0\xff\xdf'), 'the server has no TLS'],
    ['no plugins', greeting('\xff\xff\x2d\x02\0\0\0'), 'something else listens there'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n', 'something else listens there'],
    ['too much', greeting('\xff\xff\x2d\x02\0\xff\xdf').repeat(2), 'something else listens there'],
    ['1040', packet('\xff\x10\x04Too many connections'), 'the server has no connection left'],
    ['1129', packet("\xff\x69\x04Host '10.0.0.7' is blocked"), 'ended before they had logged in'],
  ])('a MySQL that greets with %s', async (_, bytes, means) => {
    answer = socket => void socket.write(Buffer.from(bytes, 'latin1'))
    expect(await examine(api, { ...reply, engine: 'mysql' })).toMatchObject({
      code: 1,
      failed: { step: 'tls' },
      means: expect.stringContaining(means),
    })
  })
})

test('an engine of a later version', async () => {
  expect(await examine(api, sampleReply({ engine: 'oracle' }))).toMatchObject({
    code: 1,
    failed: { step: 'token' },
  })
})

describe('the address:', () => {
  test('DNS does not answer', async () => {
    const failing = async () => {
      throw Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' })
    }
    for (const lookUpAll of [() => new Promise<never>(() => {}), failing])
      expect(await examine(api, sampleReply(), { lookUpAll })).toMatchObject({
        code: 1,
        failed: { step: 'dns' },
        means: 'DNS does not answer on this machine',
      })
  })

  test('a server of jeton that names none is reported like every failure', async () => {
    expect(await examine(api, sampleReply({ connect: 'nonsense' }))).toMatchObject({
      code: 1,
      failed: { step: 'dns', detail: 'the server says to connect to nonsense, which is not host:port' },
    })
  })

  test('where the first does not answer, the next is tried, as clients do', async () => {
    const server = createServer(socket => void socket.end('no database'))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as { port: number }
    const lookUpAll = async () => [{ address: '127.0.0.2' }, { address: '127.0.0.1' }]
    const reply = sampleReply({ connect: `orders.internal:${port}` })
    const { steps, failed } = await examine(api, reply, { lookUpAll })
    server.close()
    expect(steps.find(({ step }) => step === 'dns')?.detail).toBe('orders.internal is 127.0.0.2, 127.0.0.1')
    expect(steps.find(({ step }) => step === 'tcp')).toMatchObject({
      result: 'ok',
      detail: `connected to 127.0.0.1, port ${port}; no connection to 127.0.0.2 ECONNREFUSED`,
    })
    expect(failed?.step).toBe('tls')
  })

  test('where none answers, each is named', async () => {
    const lookUpAll = async () => [{ address: '127.0.0.2' }, { address: '::1' }]
    expect(await examine(api, sampleReply({ connect: 'orders.internal:1' }), { lookUpAll })).toMatchObject({
      code: 1,
      failed: {
        step: 'tcp',
        code: 'ECONNREFUSED',
        detail: expect.stringMatching(/^no connection: 127\.0\.0\.2 ECONNREFUSED, ::1 E[A-Z]+$/),
      },
      means: 'the machine is there, and nothing listens at this port',
    })
  })
})
