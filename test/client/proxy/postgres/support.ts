import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { VendedToken } from '../../../../src/client/library/types.ts'
import type { Link, ProtocolParts } from '../../../../src/client/proxy/protocol.ts'
import { createByteChannel } from '../../../../src/client/wire/byte-channel.ts'
import type { SecureChannel } from '../../../../src/client/wire/secure-channel.ts'
import { TOKEN } from './messages.ts'

/** One end of a connection, whose other end is the test's. */
export interface FakeConnection {
  readonly stream: Duplex
  /** What was written to the test's end. */
  written(): Buffer
  /** Sends bytes in pieces of this size, or all in one. */
  send(bytes: Buffer, size?: number): void
  end(): void
}

export function createConnection(onWrite: (written: Buffer) => void = () => {}): FakeConnection {
  const chunks: Buffer[] = []
  const stream = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      chunks.push(chunk)
      done()
      onWrite(Buffer.concat(chunks))
    },
  }).on('error', () => {})
  return {
    stream,
    written: () => Buffer.concat(chunks),
    send(bytes, size = bytes.length) {
      for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size))
    },
    end: () => void stream.push(null),
  }
}

export const VENDED: VendedToken = {
  token: TOKEN,
  database: 'orders',
  engine: 'postgres',
  host: 'orders.example.com',
  port: 5432,
  user: 'app_rw',
  fingerprint: 'f',
  ca: { pem: '' },
}

export interface FakeServerOptions {
  /** The answer to the request for TLS, and what comes with it; default: yes. After any other the connection ends. */
  tls?: Buffer
  token?: Partial<VendedToken>
  callerName?: string | undefined
  /** Where a connection to no address in particular goes; default: 10.0.0.7. */
  address?: string
}

/** A server that a test plays on each connection that is dialed. */
export interface FakeServer {
  readonly parts: ProtocolParts
  /** The connections in plain text, and those within TLS, in their order. */
  readonly plain: FakeConnection[]
  readonly secure: FakeConnection[]
  /** The addresses that were asked for. */
  readonly dialed: (string | undefined)[]
}

/** Creates one whose `logIn` tries once. */
export function createFakeServer({
  tls = Buffer.from('S'),
  token,
  callerName,
  address: anyAddress = '10.0.0.7',
}: FakeServerOptions = {}): FakeServer {
  const plain: FakeConnection[] = []
  const secure: FakeConnection[] = []
  const dialed: (string | undefined)[] = []
  const vended = { ...VENDED, ...token }
  const parts: ProtocolParts = {
    callerName,
    logIn: attempt => attempt(vended),
    async dial(_token, { address }) {
      dialed.push(address)
      const connection = createConnection(() => {
        connection.send(tls)
        if (tls.toString('latin1') !== 'S') connection.end()
      })
      plain.push(connection)
      return { socket: connection.stream as Socket, address: address ?? anyAddress, failed: [] }
    },
    async secure() {
      const connection = createConnection()
      secure.push(connection)
      return secureChannelOf(connection)
    },
  }
  return {
    parts,
    plain,
    secure,
    dialed,
  }
}

function secureChannelOf({ stream }: FakeConnection): SecureChannel {
  return {
    ...createByteChannel(stream),
    stream,
    certificate: { names: [], issuer: 'nobody', expiresAt: 0 },
    tlsVersion: 'TLSv1.3',
    endWriting: () => void stream.end(),
    close: () => void stream.destroy(),
  }
}

/** A client whose connection the proxy has accepted. */
export function createFakeClient() {
  const connection = createConnection()
  return { ...connection, channel: createByteChannel(connection.stream, { peer: 'client' }) }
}

/** Lets everything run that waits for nothing from outside. */
export const settle = () => new Promise(resolve => setImmediate(resolve))

export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is none')
  return value
}

export const neverAborted = () => new AbortController().signal

export type { Link }
