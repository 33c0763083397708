import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'
import type {
  ProxiedDatabase,
  ProxyOptions,
  ProxyParts,
  RunningProxy,
} from '../../../src/client/proxy/proxy.ts'
import { startProxy } from '../../../src/client/proxy/start-proxy.ts'
import type { TokenRequestBody } from '../../../src/client/request-token.ts'
import type { TokenReply } from '../../../src/client/token-reply.ts'
import { createAuthority } from '../../../src/dev/postgres/certificate-authority.ts'
import { type Clock, monotonicClock, systemClock } from '../../../src/lib/clock.ts'
import { nameAndStack } from '../../../src/telemetry/log.ts'
import { RDS_HOST, sampleReply } from '../../support/service/api-stub.ts'
import { createLogRecorder, type LogRecorder } from '../../support/service/log-recorder.ts'
import { createToyProtocol } from './toy-protocol.ts'

export const AUTHORITY = createAuthority()
const CERTIFICATE = AUTHORITY.issue([RDS_HOST])

/** A database of the toy protocol. */
export interface ToyServer {
  readonly port: number
  /** The tokens that were sent, in their order. */
  readonly tokens: string[]
  /** The connections that are open. */
  readonly sockets: Set<Socket>
  /** What is answered to a token: nothing for a login; a text for a refusal; `hang` for neither. */
  answer: (token: string) => string | undefined
  /** Takes over once somebody is logged in; default: an echo. */
  onSession: (socket: TLSSocket) => void
}

export interface ToyServerOptions {
  /** Default: for the host of the sample reply, by the authority of all. */
  certificate?: { certPem: string; keyPem: string }
  /** Takes connections in place of the server. */
  onConnection?: (socket: Socket) => void
}

export async function startToyServer(options: ToyServerOptions = {}): Promise<ToyServer> {
  const { certPem: cert, keyPem: key } = options.certificate ?? CERTIFICATE
  const sockets = new Set<Socket>()
  const toy: ToyServer = {
    port: 0,
    tokens: [],
    sockets,
    answer: () => undefined,
    onSession: socket => void socket.on('data', data => socket.write(data)).on('end', () => socket.end()),
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    if (options.onConnection) return options.onConnection(socket)
    const secure = new TLSSocket(socket, { isServer: true, cert, key })
    secure.on('error', () => {})
    let text = ''
    secure.on('data', function read(data: Buffer) {
      text += data
      if (!text.includes('\n')) return
      secure.off('data', read)
      const token = text.trim()
      toy.tokens.push(token)
      const answer = toy.answer(token)
      if (answer === 'hang') return void secure.resume().on('end', () => secure.end())
      secure.write(answer === undefined ? 'K' : `E${answer}\n`)
      if (answer === undefined) toy.onSession(secure)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return Object.assign(toy, { port: (server.address() as AddressInfo).port })
}

export interface ToyProxy {
  readonly proxy: RunningProxy
  readonly log: LogRecorder
  readonly asked: TokenRequestBody[]
  readonly folder: string
  /** Connects to the first database, and says a word if one is given. */
  connect(word?: string): Socket
}

export interface ToyProxyOptions extends Partial<Omit<ProxyOptions, 'databases'>> {
  databases?: readonly ProxiedDatabase[]
  clock?: Clock
  /** Answers questions; default: a new token each time. */
  requestToken?: ProxyParts['requestToken']
  lookUpAll?: ProxyParts['lookUpAll']
}

/** Starts a proxy for one database `orders`, or others, that are all at one server. */
export async function startToyProxy(port: number, options: ToyProxyOptions = {}): Promise<ToyProxy> {
  const folder = await newFolder()
  const log = createLogRecorder()
  const asked: TokenRequestBody[] = []
  const { clock = systemClock(), requestToken = async () => toyReply(port) } = options
  const proxy = await startProxy(
    {
      databases: [{ name: 'orders', listen: { folder } }],
      waitMs: 10_000,
      maxConnections: 1000,
      ...options,
    },
    {
      protocols: { postgres: createToyProtocol, mysql: createToyProtocol },
      requestToken: (body, { waitMs }) => {
        asked.push(body)
        return requestToken(body, { waitMs })
      },
      clock,
      monotonic: options.clock ?? monotonicClock(),
      nameAndStack,
      random: () => 0.5,
      lookUpAll: options.lookUpAll ?? (async () => [{ address: '127.0.0.1' }]),
      log,
    },
  )
  onTestFinished(() => proxy.close({ drainMs: 0 }))
  const [first] = proxy.listening
  return {
    proxy,
    log,
    asked,
    folder,
    connect(word) {
      const socket =
        first?.socket === undefined ? connect(first?.port ?? 0, '127.0.0.1') : connect(first.socket)
      socket.on('error', () => {})
      onTestFinished(() => void socket.destroy())
      if (word !== undefined) socket.write(`${word}\n`)
      return socket
    },
  }
}

/** A reply for the server at a port. */
export function toyReply(port: number, over: Partial<TokenReply> = {}): TokenReply {
  return {
    ...sampleReply(),
    expiresIn: 900,
    connect: `127.0.0.1:${port}`,
    ca: { pem: AUTHORITY.caPem },
    ...over,
  }
}

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'toy-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Resolves with the next line that a client gets, without its end. */
export async function readLine(socket: Socket): Promise<string> {
  let text = ''
  for (;;) {
    const piece: Buffer | null = socket.read()
    text += piece ?? ''
    const end = text.indexOf('\n')
    if (end >= 0) {
      if (text.length > end + 1) socket.unshift(Buffer.from(text.slice(end + 1)))
      return text.slice(0, end)
    }
    if (socket.readableEnded || socket.destroyed) throw new Error(`the end after "${text}"`)
    if (piece === null)
      await new Promise<void>(resolve => {
        for (const event of ['readable', 'end', 'close']) socket.once(event, () => resolve())
      })
  }
}

/** Resolves with all that a client gets until the end. */
export async function readAll(socket: Socket): Promise<string> {
  let text = ''
  for await (const piece of socket) text += piece
  return text
}
