import { connect, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { Certificate } from '../../../src/dev/postgres/certificate-authority.ts'
import { listenOnLoopback, type SocketServer } from './socket-server.ts'

/** Speaks TLS on loopback in front of a stand-in that listens without it. */
export async function startTlsFront(url: string, { certPem, keyPem }: Certificate): Promise<SocketServer> {
  const port = Number(new URL(url).port)
  const sockets = new Set<Socket>()
  const server = createServer({ cert: certPem, key: keyPem }, client => {
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => [client, upstream].forEach(each => void each.destroy()))
    }
    client.pipe(upstream).pipe(client)
  })
  return listenOnLoopback(server, sockets)
}
