import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { VendedToken } from '../../../../src/client/library/types.ts'
import { createMysqlProxy } from '../../../../src/client/proxy/mysql/mysql-proxy.ts'
import type { Link, ProtocolParts } from '../../../../src/client/proxy/protocol.ts'
import { createByteChannel } from '../../../../src/client/wire/byte-channel.ts'
import { CAPABILITY } from '../../../../src/client/wire/mysql-packets.ts'

/** One end of a connection, which a test plays byte by byte. */
export interface FakePeer {
  readonly socket: Socket
  /** What the proxy has written to it since the last call. */
  take(): Buffer
  send(...pieces: readonly (Buffer | string)[]): void
  end(): void
}

/** A session whose client and server a test plays. What is called TLS here is plain, and begins when the proxy asks for it. */
export interface FakeSession {
  readonly client: FakePeer
  readonly server: FakePeer
  /** What the proxy sent before TLS. */
  readonly beforeTls: () => Buffer
  readonly opened: Promise<Link | undefined>
  readonly encodeError: ReturnType<ReturnType<typeof createMysqlProxy>['accept']>['encodeError']
  /** Ends the time for the handshake. */
  abort(reason: Error): void
}

export const TOKEN: VendedToken = {
  token: `orders.example.com:3306/?Action=connect&${'t'.repeat(1400)}`,
  database: 'ledger',
  engine: 'mysql',
  host: 'orders.example.com',
  port: 3306,
  user: 'app_ro',
  dbname: 'orders',
  fingerprint: 'f',
  ca: { pem: '' },
}

export function createFakeSession({
  token = TOKEN,
  callerName,
}: {
  token?: VendedToken
  callerName?: string
} = {}): FakeSession {
  const client = createPeer()
  const server = createPeer()
  let isSecured = false
  let before = Buffer.alloc(0)
  const takeFromServer = server.take
  const takePlain = () => {
    const taken = takeFromServer()
    if (!isSecured) before = Buffer.concat([before, taken])
    return taken
  }
  const parts: ProtocolParts = {
    callerName,
    logIn: attempt => attempt(token),
    async dial(_token, { signal }) {
      signal.addEventListener('abort', () => server.socket.destroy(), { once: true })
      return { socket: server.socket, address: '192.0.2.1', failed: [] }
    },
    async secure({ socket }) {
      takePlain()
      isSecured = true
      const certificate = { names: [], issuer: 'nobody', expiresAt: 0 }
      const channel = createByteChannel(socket)
      // as a TLS socket, which is a stream of its own, would be
      socket.resume()
      return {
        ...channel,
        stream: socket,
        certificate,
        tlsVersion: 'TLSv1.3',
        endWriting: () => socket.end(),
        close: () => socket.end(),
      }
    },
  }
  const aborter = new AbortController()
  const session = createMysqlProxy(parts).accept(createByteChannel(client.socket, { peer: 'client' }))
  const opened = session.open(aborter.signal)
  opened.catch(() => {})
  return {
    client,
    server: { ...server, take: takePlain },
    beforeTls: () => before,
    opened,
    encodeError: session.encodeError,
    abort: reason => aborter.abort(reason),
  }
}

function createPeer(): FakePeer {
  let written: Buffer[] = []
  const connection = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      written.push(chunk)
      done()
    },
  })
  connection.on('error', () => {})
  const socket = Object.assign(connection, {
    setTimeout: () => connection,
    unref: () => connection,
  }) as unknown as Socket
  Object.defineProperty(socket, 'readyState', {
    get: () => (connection.destroyed || connection.readableEnded ? 'closed' : 'open'),
  })
  return {
    socket,
    take() {
      const taken = Buffer.concat(written)
      written = []
      return taken
    },
    send(...pieces) {
      for (const piece of pieces) connection.push(Buffer.from(piece as string, 'latin1'))
    },
    end: () => void connection.push(null),
  }
}

/** A packet whose payload is less than 64 KB. */
export function packet(sequence: number, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1')
  const head = Buffer.from([bytes.length & 0xff, bytes.length >> 8, 0, sequence])
  return Buffer.concat([head, bytes])
}

export interface GreetingOptions {
  version?: string
  capabilities?: number
  plugin?: string
  /** MariaDB's capabilities beyond 32 bits. */
  extended?: number
}

/** What MySQL 8 offers, MariaDB too but for its first flag. */
export const MYSQL_OFFERS = 0xdfff_ffff

/** The payload of a server's greeting: thread 77, character set 45, status 2. */
export function greeting(options: GreetingOptions = {}): Buffer {
  const { version = '8.4.0', capabilities = MYSQL_OFFERS, plugin = 'caching_sha2_password' } = options
  const flags = Buffer.alloc(4)
  flags.writeUInt32LE(capabilities >>> 0)
  const extended = Buffer.alloc(4)
  extended.writeUInt32LE(options.extended ?? 0)
  return Buffer.concat([
    Buffer.from(`\x0a${version}\0M\0\0\0scramble\0`, 'latin1'),
    flags.subarray(0, 2),
    Buffer.from([45, 2, 0]),
    flags.subarray(2),
    Buffer.from([21, 0, 0, 0, 0, 0, 0]),
    extended,
    Buffer.from(`of a server \0${plugin}\0`, 'latin1'),
  ])
}

export interface ResponseOptions {
  /** Besides those that the other options need. */
  flags?: number
  password?: Buffer | string
  database?: string
  plugin?: string
  attributes?: Buffer | string
  extended?: number
}

const LOGIN = CAPABILITY.protocol41 | CAPABILITY.secureConnection | CAPABILITY.lengthEncodedAuth

/** The payload of a client's response. */
export function response(options: ResponseOptions = {}): Buffer {
  const { flags = LOGIN, password = '', database, plugin, attributes, extended = 0 } = options
  const head = Buffer.alloc(32)
  const chosen =
    flags |
    (database === undefined ? 0 : CAPABILITY.connectWithDb) |
    (plugin === undefined ? 0 : CAPABILITY.pluginAuth) |
    (attributes === undefined ? 0 : CAPABILITY.connectAttributes)
  head.writeUInt32LE(chosen >>> 0, 0)
  head.writeUInt32LE(0x0123_4567, 4)
  head[8] = 33
  head.writeUInt32LE(extended, 28)
  const counted = (text: Buffer | string) => {
    const bytes = Buffer.from(text as string, 'latin1')
    return Buffer.concat([Buffer.from([bytes.length]), bytes])
  }
  return Buffer.concat([
    head,
    Buffer.from('whoever\0'),
    counted(password),
    ...(database === undefined ? [] : [Buffer.from(`${database}\0`)]),
    ...(plugin === undefined ? [] : [Buffer.from(`${plugin}\0`)]),
    ...(attributes === undefined ? [] : [counted(attributes)]),
  ])
}

/** Names and values with their lengths. */
export function attributes(pairs: Readonly<Record<string, string>>): string {
  const texts = Object.entries(pairs).flat()
  return texts.map(text => `${String.fromCharCode(text.length)}${text}`).join('')
}

export const OK = '\0\0\0\x02\0\0\0'
