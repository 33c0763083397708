import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Authority } from '../../../src/dev/postgres/certificate-authority.ts'

/** What a client of PostgreSQL sent to log in. */
export interface SentLogin {
  user: string
  database: string | undefined
  password: string
}

/** A server on 127.0.0.1 that does of PostgreSQL's protocol what a login takes: it asks for the password within TLS, and hangs up. */
export interface PasswordServer {
  readonly port: number
  /** Each login since the last call. */
  takeLogins(): SentLogin[]
  close(): Promise<void>
}

const SSL_REQUEST = 80_877_103
const ASK_FOR_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])

/** Starts one whose certificate has these names. */
export async function startPasswordServer(
  authority: Authority,
  names: readonly string[],
): Promise<PasswordServer> {
  const { certPem: cert, keyPem: key } = authority.issue(names)
  const logins: SentLogin[] = []
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    void (async () => {
      const [request] = await once(socket, 'data')
      if (request.readInt32BE(4) !== SSL_REQUEST) return void socket.destroy()
      const secure = new TLSSocket(socket, { isServer: true, cert, key })
      secure.on('error', () => undefined)
      socket.write('S')
      logins.push(await readLogin(secure))
      secure.destroy()
    })().catch(() => socket.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    takeLogins: () => logins.splice(0),
    close: () => new Promise(resolve => server.close(() => resolve())),
  }
}

async function readLogin(socket: Socket): Promise<SentLogin> {
  const startup = await readMessage(socket, 0)
  const pairs = startup.subarray(8).toString().split('\0')
  const parameter = (name: string) => pairs[pairs.indexOf(name) + 1] ?? ''
  socket.write(ASK_FOR_PASSWORD)
  const password = (await readMessage(socket, 1)).subarray(5, -1).toString()
  return {
    user: parameter('user'),
    database: pairs.includes('database') ? parameter('database') : undefined,
    password,
  }
}

/** A message: its type, if it has one, its length, and the rest. */
async function readMessage(socket: Socket, typeBytes: number): Promise<Buffer> {
  let message = Buffer.alloc(0)
  while (message.length < typeBytes + 4 || message.length < typeBytes + message.readInt32BE(typeBytes)) {
    const [chunk] = await once(socket, 'data')
    message = Buffer.concat([message, chunk])
  }
  return message
}
