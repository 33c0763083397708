import { expect, test, vi } from 'vitest'
import { createPostgresProxy } from '../../../../src/client/proxy/postgres/postgres-proxy.ts'
import type { ProtocolParts, ProxyProtocol } from '../../../../src/client/proxy/protocol.ts'
import { encodeMessage } from '../../../../src/client/wire/postgres-messages.ts'
import { WireError } from '../../../../src/client/wire/wire-error.ts'
import {
  CANCEL_KEY,
  cancelRequest,
  LONG_CANCEL_KEY,
  SERVER,
  SSL_REQUEST,
  STARTUP,
  TOKEN,
} from './messages.ts'
import {
  createFakeClient,
  createFakeServer,
  type FakeServer,
  neverAborted,
  present,
  settle,
} from './support.ts'

/** A proxy whose next login goes to this address. */
function createProxy(change: (parts: ProtocolParts) => Partial<ProtocolParts> = () => ({})) {
  const server = createFakeServer()
  let next = ''
  const parts: ProtocolParts = {
    ...server.parts,
    async dial(token, options) {
      const dialed = await server.parts.dial(token, options)
      return { ...dialed, address: options.address ?? next }
    },
    ...change(server.parts),
  }
  const proxy = createPostgresProxy(parts)
  return {
    server,
    proxy,
    async logIn(key: Buffer, address: string) {
      next = address
      const client = createFakeClient()
      const opened = proxy.accept(client.channel).open(neverAborted())
      client.send(STARTUP)
      await settle()
      present(server.secure.at(-1)).send(Buffer.concat([SERVER.ok, encodeMessage('K', key), SERVER.ready]))
      return present(await opened)
    },
  }
}

async function cancel(proxy: ProxyProtocol, key: Buffer, signal = neverAborted()) {
  const client = createFakeClient()
  const session = proxy.accept(client.channel)
  let isDone = false
  const opened = session.open(signal).finally(() => {
    isDone = true
  })
  opened.catch(() => {})
  client.send(cancelRequest(key))
  await settle()
  return { opened, session, client, isDone: () => isDone }
}

const lastOf = ({ server }: { server: FakeServer }) => ({
  address: server.dialed.at(-1),
  plain: present(server.plain.at(-1)),
  secure: present(server.secure.at(-1)),
})

test('a request goes to the address of its session, as it came and within TLS, with keys of any length', async () => {
  const made = createProxy()
  await made.logIn(CANCEL_KEY, '10.0.0.1')
  await made.logIn(LONG_CANCEL_KEY, '10.0.0.2')
  for (const [key, expected] of [
    [CANCEL_KEY, '10.0.0.1'],
    [LONG_CANCEL_KEY, '10.0.0.2'],
  ] as const) {
    const { opened } = await cancel(made.proxy, key)
    const { address, plain, secure } = lastOf(made)
    expect(address).toBe(expected)
    expect(plain.written()).toEqual(SSL_REQUEST)
    expect(secure.written()).toEqual(cancelRequest(key))
    secure.end()
    expect(await opened).toBeUndefined()
    expect(plain.stream.destroyed).toBe(true)
  }
})

test('a client waits until the server has closed, and is shown nothing', async () => {
  const made = createProxy()
  await made.logIn(CANCEL_KEY, '10.0.0.1')
  const { opened, isDone, client } = await cancel(made.proxy, CANCEL_KEY)
  await settle()
  expect(isDone()).toBe(false)
  lastOf(made).secure.end()
  await opened
  expect(client.written()).toHaveLength(0)
})

test('a server that answers, in whatever length, is not listened to', async () => {
  const made = createProxy()
  await made.logIn(CANCEL_KEY, '10.0.0.1')
  const { opened, isDone } = await cancel(made.proxy, CANCEL_KEY)
  lastOf(made).secure.send(SERVER.clearText)
  await settle()
  expect(isDone()).toBe(false)
  lastOf(made).secure.send(Buffer.alloc(300 * 1024))
  expect(await opened).toBeUndefined()
  expect(lastOf(made).secure.written().includes(TOKEN)).toBe(false)
})

test('a key that no session has goes nowhere, be it longer or shorter than one', async () => {
  const made = createProxy()
  const expectNothing = async (key: Buffer) => {
    const dialed = made.server.dialed.length
    const { opened, client } = await cancel(made.proxy, key)
    expect(await opened).toBeUndefined()
    expect(client.written()).toHaveLength(0)
    expect(made.server.dialed).toHaveLength(dialed)
  }
  await expectNothing(CANCEL_KEY)
  await made.logIn(CANCEL_KEY, '10.0.0.1')
  await expectNothing(LONG_CANCEL_KEY)
  await expectNothing(Buffer.concat([CANCEL_KEY, Buffer.alloc(28)]))
})

test('the key of a session that has ended is forgotten, but not that of a later one', async () => {
  const made = createProxy()
  const first = await made.logIn(CANCEL_KEY, '10.0.0.1')
  const second = await made.logIn(CANCEL_KEY, '10.0.0.2')
  first.onEnd?.()
  await cancel(made.proxy, CANCEL_KEY)
  expect(lastOf(made).address).toBe('10.0.0.2')
  second.onEnd?.()
  const { opened } = await cancel(made.proxy, CANCEL_KEY)
  expect(await opened).toBeUndefined()
  expect(made.server.dialed).toHaveLength(3)
})

test('a client that is gone as soon as it has asked has its request delivered', async () => {
  let answer = () => {}
  const made = createProxy(({ dial }) => ({
    async dial(token, options) {
      if (options.address !== undefined)
        await new Promise<void>(resolve => {
          answer = resolve
        })
      return dial(token, options)
    },
  }))
  await made.logIn(CANCEL_KEY, '10.0.0.1')
  const controller = new AbortController()
  const { opened } = await cancel(made.proxy, CANCEL_KEY, controller.signal)
  controller.abort(new Error('the client is gone'))
  await expect(opened).rejects.toThrow('the client is gone')
  answer()
  await settle()
  expect(lastOf(made).secure.written()).toEqual(cancelRequest(CANCEL_KEY))
  lastOf(made).secure.end()
})

test('a request that fails is answered by nothing', async () => {
  const refused = new WireError('no connection', { failure: 'connection', code: 'ECONNREFUSED' })
  const made = createProxy(({ dial }) => ({
    dial: (token, options) =>
      options.address === undefined ? dial(token, options) : Promise.reject(refused),
  }))
  await made.logIn(CANCEL_KEY, '10.0.0.1')
  const { opened, session } = await cancel(made.proxy, CANCEL_KEY)
  await expect(opened).rejects.toBe(refused)
  const error = { failure: 'unavailable', message: 'x' } as Parameters<typeof session.encodeError>[0]
  expect(session.encodeError(error)).toHaveLength(0)
})

test('a server that does not close is given up after 10 s', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(ms => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new DOMException('late', 'TimeoutError')), ms)
    return controller.signal
  })
  try {
    const made = createProxy()
    await made.logIn(CANCEL_KEY, '10.0.0.1')
    const { opened, isDone } = await cancel(made.proxy, CANCEL_KEY)
    await vi.advanceTimersByTimeAsync(9_999)
    expect(isDone()).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await expect(opened).rejects.toMatchObject({ failure: 'timeout', message: 'no cancel within 10 s' })
    expect(lastOf(made).plain.stream.destroyed).toBe(true)
  } finally {
    timeout.mockRestore()
    vi.useRealTimers()
  }
})

test('at most 256 are under way at once', async () => {
  const made = createProxy()
  await made.logIn(CANCEL_KEY, '10.0.0.1')
  const running = []
  for (let index = 0; index < 256; index++) running.push(await cancel(made.proxy, CANCEL_KEY))
  const { opened } = await cancel(made.proxy, CANCEL_KEY)
  await expect(opened).rejects.toMatchObject({
    failure: 'too_many',
    message: 'too many requests to cancel a query at once',
  })
  expect(made.server.secure).toHaveLength(257)
  for (const { end } of made.server.secure.slice(1)) end()
  await Promise.all(running.map(({ opened }) => opened))
  const next = await cancel(made.proxy, CANCEL_KEY)
  expect(made.server.secure).toHaveLength(258)
  lastOf(made).secure.end()
  expect(await next.opened).toBeUndefined()
})
