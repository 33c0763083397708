import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A tunnel on this machine, as a bastion or `kubectl port-forward` makes it. */
export interface TcpForwarder {
  readonly port: number
  /** How many connections went through it. */
  readonly connections: number
  /** Ends open connections too. */
  close(): Promise<void>
}

export interface ListenAddress {
  /** Default: 127.0.0.1. */
  host?: string
  /** Default: any that is free. */
  port?: number
}

/** Starts a forwarder to a port of 127.0.0.1. */
export async function startTcpForwarder(
  target: number,
  { host = '127.0.0.1', port = 0 }: ListenAddress = {},
): Promise<TcpForwarder> {
  let connections = 0
  const open = new Set<Socket>()
  const server = createServer(from => {
    connections++
    const to = connect(target, '127.0.0.1')
    open.add(from.on('close', () => open.delete(from)))
    from.pipe(to).pipe(from)
    from.on('error', () => undefined).on('close', () => to.destroy())
    to.on('error', () => undefined).on('close', () => from.destroy())
  })
  await once(server.listen(port, host), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
