import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Certificate } from '../../src/dev/postgres/certificate-authority.ts'

/** Whatever a login needs of PostgreSQL's answers: a password, `ok`, a cancel key, ready. */
const ASK_FOR_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])
const OK = [0x52, 0, 0, 0, 8, 0, 0, 0, 0]
const READY = [0x5a, 0, 0, 0, 5, 0x49]

/** Starts a server on loopback that logs everybody in, within TLS, and then says nothing: a thousand cost little. */
export async function startIdleServer({ certPem: cert, keyPem: key }: Certificate) {
  let sessions = 0
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => {
      const secure = new TLSSocket(socket, { isServer: true, cert, key })
      secure.on('error', () => {}).on('end', () => secure.end())
      socket.write('S')
      secure.once('data', () => {
        secure.write(ASK_FOR_PASSWORD)
        secure.once('data', () => {
          const cancelKey = Buffer.alloc(13)
          cancelKey.write('K')
          cancelKey.writeInt32BE(12, 1)
          cancelKey.writeInt32BE(++sessions, 5)
          secure.write(Buffer.concat([Buffer.from(OK), cancelKey, Buffer.from(READY)]))
          secure.resume()
        })
      })
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise<void>(resolve => server.close(() => resolve())),
  }
}
