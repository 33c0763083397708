import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createTokensWith } from '../../../src/client/library/tokens.ts'
import type { MariadbOptions } from '../../../src/client/library/types.ts'
import { createNodeSend } from '../../../src/client/node-http.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { type ApiStub, sampleReply, startApiStub } from '../../support/service/api-stub.ts'

let api: ApiStub
beforeEach(async () => {
  api = await startApiStub()
})
afterEach(() => api.close())

async function optionsFor(port: number) {
  api.answers = [{ body: sampleReply({ engine: 'mariadb', connect: `127.0.0.1:${port}` }) }]
  const clock = virtualClock()
  const tokens = createTokensWith(
    { database: 'orders', url: api.url, credential: 'ApiKey secret' },
    { env: {}, clock, monotonic: clock, send: createNodeSend() },
  )
  return { tokens, options: await tokens.mariadb() }
}

async function listen(): Promise<number> {
  const server = createServer(socket => void socket.on('error', () => {}))
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** The own options of a connection, as those of mariadb call `stream`. */
function connectionWith({ stream, ssl }: MariadbOptions, logger?: { error(error: unknown): void }) {
  return { password: undefined as string | undefined, logger, stream, ssl }
}

type Dialled = [error?: Error | undefined, socket?: Socket | undefined]

const dial = (connection: Pick<MariadbOptions, 'stream'>) =>
  new Promise<Dialled>(resolve => connection.stream((...args) => resolve(args)))

test('`stream` gives each connection a socket, and the token in its own options', async () => {
  const { tokens, options } = await optionsFor(await listen())
  const connection = connectionWith(options)
  const [, socket] = await dial(connection)
  socket?.destroy()
  expect(connection.password).toBe(await tokens.password())
  expect(options).not.toHaveProperty('password')
})

test('a release that calls `stream` in another way gets an error rather than no password', async () => {
  const { options } = await optionsFor(await listen())
  const { stream } = options
  for (const caller of [options, { stream }]) {
    const [error] = await dial(caller)
    expect(error).toMatchObject({ name: 'TokenError', message: expect.stringContaining('createConnection') })
  }
})

test('a connection that was given up while it waited for a token harms nobody', async () => {
  const { options } = await optionsFor(await listen())
  const sockets: (Socket | undefined)[] = []
  connectionWith(options).stream((_, socket) => {
    sockets.push(socket)
    socket?.on('error', () => {})
    throw new TypeError('as mariadb 3.5 throws')
  })
  await expect.poll(() => sockets[0]?.destroyed).toBe(true)
  expect(sockets).toHaveLength(1)
})

test('a refused login is told to jeton, and to the logger that the connection had', async () => {
  const { tokens, options } = await optionsFor(await listen())
  const logged: unknown[] = []
  const connection = connectionWith(options, { error: error => void logged.push(error) })
  const [, socket] = await dial(connection)
  socket?.destroy()
  const [ofQuery, ofLogin] = [false, true].map(fatal =>
    Object.assign(new Error('Access denied'), { errno: 1045, fatal }),
  )
  connection.logger?.error(ofQuery)
  await tokens.get()
  expect(api.requests).toHaveLength(1)
  connection.logger?.error(ofLogin)
  expect(logged).toEqual([ofQuery, ofLogin])
  const { fingerprint } = await tokens.get()
  expect(JSON.parse(api.requests.at(-1)?.body ?? '')).toMatchObject({ refused: fingerprint })
})
