import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { parseIpAddress } from '../lib/ip-address.ts'

/** One open connection to a listener, from its first packet on, even if it never gets through its TLS handshake. */
export interface Connection {
  /** The bare socket, below TLS. */
  readonly socket: Socket
  /** As `parseIpAddress` returns it; kept, since a socket that was reset has lost it. */
  readonly address: string | undefined
  /** The reply to the request that is being answered, until the kernel has all of it. */
  current: ServerResponse | undefined
  /** Those to the requests that arrived behind it. */
  readonly waiting: ServerResponse[]
  /** The reply to the request that arrived last, until that has arrived completely and is answered: it may be sent before. */
  last: ServerResponse | undefined
  /** Called once, when all requests have been answered. */
  whenAnswered: (() => void) | undefined
  /** Of two connections, the one that was used later has the higher number. */
  lastUsed: number
}

/** The open connections of one listener. */
export interface Connections {
  readonly open: ReadonlySet<Connection>
  /** Returns the connection of a socket, bare or under TLS; undefined before its TLS handshake is complete, and if injected. */
  of(socket: Socket): Connection | undefined
  /** Notes that a connection is in use. */
  touch(connection: Connection): void
}

/** Follows the connections of a server. Call it before the server listens. */
export function followConnections(server: Server): Connections {
  const open = new Set<Connection>()
  const bySocket = new WeakMap<Socket, Connection>()
  // how a socket under TLS finds the bare one
  const byEnds = new Map<string, Connection>()
  let uses = 0

  server.on('connection', (socket: Socket) => {
    const address = parseIpAddress(socket.remoteAddress)
    const connection: Connection = {
      socket,
      address,
      current: undefined,
      waiting: [],
      last: undefined,
      whenAnswered: undefined,
      lastUsed: ++uses,
    }
    const ends = endsOf(socket)
    open.add(connection)
    bySocket.set(socket, connection)
    byEnds.set(ends, connection)
    socket.once('close', () => {
      open.delete(connection)
      if (byEnds.get(ends) === connection) byEnds.delete(ends)
    })
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    const connection = byEnds.get(endsOf(socket))
    if (connection) bySocket.set(socket, connection)
  })

  return {
    open,
    of: socket => bySocket.get(socket),
    touch(connection) {
      connection.lastUsed = ++uses
    },
  }
}

/** Both ends: a client may use one port of its own for several addresses of this machine. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ')
}

/**
 * Whether jeton owes a connection nothing but time: it has no request, or its request has not arrived completely, or its
 * reply waits to be read. Such a connection may be closed for another.
 */
export function isIdle({ current }: Connection): boolean {
  return current === undefined || current.headersSent || !current.req.complete
}
