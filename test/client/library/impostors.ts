import { type AddressInfo, createServer, type Server as NetServer } from 'node:net'
import { TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'

/** A certificate, and its key. */
export interface ServerIdentity {
  readonly certPem: string
  readonly keyPem: string
}

/** A server that no database is behind, and what it was told. */
export interface Impostor {
  readonly port: number
  received(): string
}

export async function listen(server: NetServer): Promise<number> {
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A server that speaks PostgreSQL as far as TLS, and then asks for a password; returns what came after that. */
export async function startPostgresImpostor({
  certPem: cert,
  keyPem: key,
}: ServerIdentity): Promise<Impostor> {
  const received: Buffer[] = []
  const port = await listen(
    createServer(socket => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write('S')
        const secure = new TLSSocket(socket, { isServer: true, cert, key })
        secure.on('error', () => {})
        secure.on('data', data => {
          received.push(data)
          // AuthenticationCleartextPassword
          secure.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
        })
      })
    }),
  )
  return { port, received: () => Buffer.concat(received).toString('latin1') }
}

/** A server that speaks MySQL as far as TLS, and then asks for a password in clear text; returns what came after that. */
export async function startMysqlImpostor({ certPem: cert, keyPem: key }: ServerIdentity): Promise<Impostor> {
  const received: Buffer[] = []
  const port = await listen(
    createServer(socket => {
      socket.on('error', () => {}).write(greeting(CLIENT_SSL))
      socket.once('data', data => {
        // the request for TLS; what follows is TLS already
        socket.pause()
        const rest = data.subarray(4 + data.readUIntLE(0, 3))
        if (rest.length > 0) socket.unshift(rest)
        const secure = new TLSSocket(socket, { isServer: true, cert, key })
        secure.on('error', () => {}).on('data', chunk => received.push(chunk))
        secure.once('data', () => secure.write(askForClearText(3)))
      })
    }),
  )
  return { port, received: () => Buffer.concat(received).toString('latin1') }
}

/** A server that speaks MySQL without TLS, and asks for a password in clear text; returns what came to it. */
export async function startPlainMysqlImpostor(): Promise<Impostor> {
  const received: Buffer[] = []
  const port = await listen(
    createServer(socket => {
      socket.on('error', () => {}).on('data', data => received.push(data))
      socket.write(greeting())
      socket.once('data', () => socket.write(askForClearText(2)))
    }),
  )
  return { port, received: () => Buffer.concat(received).toString('latin1') }
}

/** MySQL's packet: its length in three bytes, its number, and what is in it. */
function packet(number: number, payload: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([payload.length, payload.length >> 8, payload.length >> 16, number]),
    payload,
  ])
}

/** Returns the packet that asks for the password in clear text. */
function askForClearText(number: number): Buffer {
  return packet(number, Buffer.from('\xfemysql_clear_password\0', 'latin1'))
}

/** In the second byte of the capabilities. */
const CLIENT_SSL = 0x08

/** A server's greeting (protocol 10) with CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION and CLIENT_PLUGIN_AUTH. */
function greeting(more = 0): Buffer {
  const parts = [
    Buffer.from('\x0a8.0.36\0', 'latin1'),
    Buffer.from([1, 0, 0, 0]),
    Buffer.alloc(8, 'a'),
    Buffer.from([0, 0x00, 0x82 | more, 45, 2, 0, 0x08, 0x00, 21]),
    Buffer.alloc(10),
    Buffer.from('aaaaaaaaaaaa\0mysql_native_password\0', 'latin1'),
  ]
  return packet(0, Buffer.concat(parts))
}
