import { type AddressInfo, createServer, type Socket } from 'node:net'
import { der, readElement } from './der.ts'

export interface LdapServer {
  readonly port: number
  close(): Promise<void>
}

/** Far above the longest password that PostgreSQL passes on. */
const MAX_MESSAGE_BYTES = 1024 * 1024
const BIND = 0x60
const UNBIND = 0x42
const SUCCESS = 0
const INVALID_CREDENTIALS = 49

/**
 * Starts an LDAP server that knows only simple binds (RFC 4511, 4.2) and asks `check` about each. `check` gets the bind name
 * as it came, not parsed as a DN. Anything else that a client sends ends the connection.
 */
export async function startLdap(
  check: (user: string, password: string) => boolean | Promise<boolean>,
): Promise<LdapServer> {
  const sockets = new Set<Socket>()

  async function serve(socket: Socket) {
    let bytes = Buffer.alloc(0)
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      bytes = Buffer.concat([bytes, chunk as Buffer])
      if (bytes.length > MAX_MESSAGE_BYTES) throw new Error('message too long')
      for (let message = readElement(bytes); message; message = readElement(bytes)) {
        bytes = bytes.subarray(message.end)
        const id = readElement(message.contents)
        const operation = id && readElement(message.contents, id.end)
        if (!id || !operation || operation.tag === UNBIND) return
        if (operation.tag !== BIND) throw new Error('this server knows only simple binds')
        const { user, password } = readBind(operation.contents)
        const code = (await check(user, password)) ? SUCCESS : INVALID_CREDENTIALS
        const empty = der(0x04)
        const response = der(0x61, der(0x0a, Buffer.from([code])), empty, empty)
        socket.write(der(0x30, der(0x02, id.contents), response))
      }
    }
  }

  const server = createServer(socket => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {}))
    serve(socket).then(
      () => socket.end(),
      () => socket.destroy(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })

  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function readBind(request: Buffer): { user: string; password: string } {
  const version = readElement(request)
  const user = version && readElement(request, version.end)
  const password = user && readElement(request, user.end)
  if (password?.tag !== 0x80) throw new Error('not a simple bind')
  return { user: user?.contents.toString() ?? '', password: password.contents.toString() }
}
