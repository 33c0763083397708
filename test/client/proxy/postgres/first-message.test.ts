import { describe, expect, test } from 'vitest'
import { readFirstMessage } from '../../../../src/client/proxy/postgres/first-message.ts'
import { int32, withLength } from '../../../../src/client/wire/postgres-messages.ts'
import {
  CANCEL_KEY,
  cancelRequest,
  GSSENC_REQUEST,
  LONG_CANCEL_KEY,
  latin1,
  SSL_REQUEST,
  STARTUP,
  startupMessage,
} from './messages.ts'
import { createFakeClient } from './support.ts'

/** What a client gets that sends these bytes in pieces of this size, and what is left of them. */
async function read(bytes: Buffer, size?: number) {
  const client = createFakeClient()
  const first = readFirstMessage(client.channel)
  client.send(bytes, size)
  client.end()
  return { first: await first, written: client.written().toString('latin1'), left: client.channel.release() }
}

const STARTS = {
  version: 3 << 16,
  parameters: [['user', 'grafana'] as const, ['database', 'orders'] as const],
}
const BEGINNINGS: [string, Buffer[], string][] = [
  ['nothing', [], ''],
  ['a request for TLS', [SSL_REQUEST], 'N'],
  ['one for GSSAPI', [GSSENC_REQUEST], 'N'],
  ['both', [SSL_REQUEST, GSSENC_REQUEST], 'NN'],
  ['both, the other way round', [GSSENC_REQUEST, SSL_REQUEST], 'NN'],
]

describe.each(BEGINNINGS)('after %s', (_, requests, answers) => {
  const pipelined = latin1('Q\0\0\0\x0dselect 1\0')
  const bytes = Buffer.concat([...requests, STARTUP, pipelined])

  test('a startup message in pieces of any size, and what came with it is left', async () => {
    for (let size = 1; size <= bytes.length; size++) {
      const { first, written, left } = await read(bytes, size)
      expect(first).toEqual({ kind: 'startup', startup: STARTS })
      expect(written).toBe(answers)
      expect(left).toEqual(pipelined)
    }
  })

  test('each answer before the next message', async () => {
    const client = createFakeClient()
    const first = readFirstMessage(client.channel)
    for (const [index, request] of requests.entries()) {
      client.send(request)
      await expect.poll(() => client.written()).toHaveLength(index + 1)
    }
    client.send(STARTUP)
    expect(await first).toEqual({ kind: 'startup', startup: STARTS })
  })
})

test.each([CANCEL_KEY, LONG_CANCEL_KEY])(
  'a request to cancel, whole, with a key of any legal length',
  async key => {
    for (const size of [1, 13, undefined]) {
      const { first, written } = await read(cancelRequest(key), size)
      expect(first).toEqual({ kind: 'cancel', bytes: cancelRequest(key) })
      expect(written).toBe('')
    }
  },
)

test('a request to cancel after one for TLS', async () => {
  const { first } = await read(Buffer.concat([SSL_REQUEST, cancelRequest(CANCEL_KEY)]))
  expect(first).toMatchObject({ kind: 'cancel' })
})

test.each([0, 2, 3, 9999])('protocol 3.%i', async minor => {
  const { first } = await read(startupMessage(['user', 'x'], (3 << 16) | minor))
  expect(first).toMatchObject({ startup: { version: (3 << 16) | minor } })
})

test.each([
  ['protocol 2.0', startupMessage([], 2 << 16), 'unsupported frontend protocol 2.0'],
  ['protocol 4.0', startupMessage([], 4 << 16), 'unsupported frontend protocol 4.0'],
  [
    'TLS asked for twice',
    Buffer.concat([SSL_REQUEST, SSL_REQUEST]),
    'unsupported frontend protocol 1234.5679',
  ],
  ['GSSAPI asked for twice', Buffer.concat([GSSENC_REQUEST, SSL_REQUEST, GSSENC_REQUEST]), '1234.5680'],
])('%s is refused with a sentence', async (_, bytes, sentence) => {
  await expect(read(bytes)).rejects.toMatchObject({
    name: 'SessionError',
    failure: 'unsupported',
    message: expect.stringContaining(sentence),
  })
})

test.each([
  ['HTTP', latin1('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ['TLS at once', Buffer.from('16030100ff010000fb0303', 'hex')],
  ['a length of 2 GB', Buffer.concat([int32(0x7fffffff), int32(3 << 16)])],
  ['a length below zero', Buffer.concat([int32(-1), int32(3 << 16)])],
  ['a length of nothing', Buffer.concat([int32(0), int32(3 << 16)])],
  ['a startup message over 10,000 bytes', startupMessage(['user', 'x'.repeat(9_990)])],
  ['a key of 3 bytes to cancel', cancelRequest(Buffer.alloc(7))],
  ['a key of 257 bytes to cancel', cancelRequest(Buffer.alloc(261))],
  ['a request for TLS with more in it', Buffer.concat([int32(12), SSL_REQUEST.subarray(4), int32(0)])],
])('%s is not PostgreSQL, and nothing more of it is waited for', async (_, bytes) => {
  const client = createFakeClient()
  const first = readFirstMessage(client.channel)
  client.send(bytes)
  expect(await first).toBeUndefined()
  expect(client.written()).toHaveLength(0)
})

test('a startup message of 10,000 bytes is one', async () => {
  const longest = startupMessage(['user', 'x'.repeat(9_989)])
  expect(longest).toHaveLength(4 + 10_000)
  expect((await read(longest)).first).toMatchObject({ kind: 'startup' })
})

test('a client that ends in the middle of any message', async () => {
  const bytes = Buffer.concat([SSL_REQUEST, STARTUP])
  for (let length = 0; length < bytes.length; length++)
    await expect(read(bytes.subarray(0, length))).rejects.toMatchObject({
      failure: 'connection',
      message: 'the client ended the connection',
    })
})

test('a client that sends without end is not listened to any more', async () => {
  const client = createFakeClient()
  const flood = withLength(int32(3 << 16), Buffer.alloc(2))
  client.send(flood)
  client.send(Buffer.alloc(300 * 1024))
  await expect(readFirstMessage(client.channel)).rejects.toThrow('invalid startup packet layout')
  expect(client.stream.isPaused()).toBe(true)
})
