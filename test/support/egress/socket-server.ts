import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

export interface SocketServer {
  readonly port: number
  close(): Promise<void>
}

/** A server on loopback that speaks no protocol of its own: what it does with a connection is up to the test. */
export async function startSocketServer(onSocket: (socket: Socket) => void): Promise<SocketServer> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}))
    onSocket(socket)
  })
  return listenOnLoopback(server, sockets)
}

/** Lets a server listen on a free port of loopback; closing it destroys these sockets. */
export async function listenOnLoopback(server: Server, sockets: ReadonlySet<Socket>): Promise<SocketServer> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
