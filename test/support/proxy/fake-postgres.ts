import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { encodeMessage, int32 } from '../../../src/client/wire/postgres-messages.ts'
import type { Authority } from '../../../src/dev/postgres/certificate-authority.ts'

/** What a server that is no database does with a connection. */
export interface FakeBehavior {
  /** To the request for TLS: bytes, or nothing at all. */
  readonly answer?: string | Buffer
  /** Whether it is silent after that. */
  readonly isSilentAfter?: boolean
  /** The name in its certificate; default: that of the database. */
  readonly name?: string
  /** Default: that which the clients trust. */
  readonly authority?: Authority
  /** What it says to the startup message, in TLS or without; default: it asks for the password in clear text. */
  readonly toStartup?: Buffer
  /** What it says to the password; default: nothing. */
  readonly toPassword?: (attempt: number) => Buffer
}

/** A server on 127.0.0.1 that speaks PostgreSQL as far as a test wants. */
export interface FakePostgres {
  readonly port: number
  /** All that came, within TLS and without. */
  received(): string
  close(): Promise<void>
}

export interface FakeParts {
  /** The name and the authority that clients check. */
  host: string
  authority: Authority
}

export async function startFakePostgres(
  { host, authority }: FakeParts,
  behavior: FakeBehavior,
): Promise<FakePostgres> {
  const { answer = 'S', isSilentAfter = false, toStartup = askFor(3), toPassword } = behavior
  const { certPem: cert, keyPem: key } = (behavior.authority ?? authority).issue([behavior.name ?? host])
  const received: Buffer[] = []
  const open = new Set<Socket>()
  let all = 0
  const server = createServer(socket => {
    const attempt = ++all
    open.add(socket)
    socket.on('error', () => undefined).on('close', () => open.delete(socket))
    socket.once('data', request => {
      received.push(request)
      socket.write(answer)
      if (String(answer) !== 'S' || isSilentAfter) {
        socket.on('data', data => {
          received.push(data)
          if (!isSilentAfter) socket.write(toStartup)
        })
        return
      }
      const secure = new TLSSocket(socket, { isServer: true, cert, key })
      secure.on('error', () => undefined)
      let messages = 0
      secure.on('data', data => {
        received.push(data)
        messages++
        if (messages === 1) secure.write(toStartup)
        if (messages === 2 && toPassword) secure.write(toPassword(attempt))
      })
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    received: () => Buffer.concat(received).toString('latin1'),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

/** Returns the `R` that asks for an authentication; with salt or names of mechanisms after its number. */
export const askFor = (method: number, more: Buffer = Buffer.alloc(0)) =>
  encodeMessage('R', Buffer.concat([int32(method), more]))

/** Returns the `E` of a refusal. */
export const refuseWith = (code: string, message: string) =>
  encodeMessage('E', Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`))

/** What a server says when it lets a client in. */
export const LET_IN = Buffer.concat([
  askFor(0),
  encodeMessage('K', Buffer.concat([int32(1), int32(2)])),
  encodeMessage('Z', Buffer.from('I')),
])
