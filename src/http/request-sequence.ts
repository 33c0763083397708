import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Connection, Connections, Exchange } from './connections.ts'

/** Requests of one connection whose replies may be outstanding. Hardly any client sends even a second. */
const MAX_OUTSTANDING = 64

/**
 * Returns a listener that passes on the requests of one connection one after the other, each when the reply to the one before
 * is with the kernel: a client that reads no reply has one reply in memory, and no request of it is decided ahead of time.
 * Node stops reading from such a client, but first parses all that a read brought: a connection with more than 64 requests
 * outstanding is destroyed (RFC 9112, 9.3.2).
 */
export function handleInSequence(connections: Connections, handle: RequestListener): RequestListener {
  return (request, response) => {
    const connection = connections.of(request.socket)
    if (!connection) return handle(request, response)
    if (connection.waiting.length + 1 >= MAX_OUTSTANDING) return void connection.socket.destroy()
    const exchange = { request, response }
    connection.last = exchange
    if (connection.current) connection.waiting.push(exchange)
    else begin(connection, exchange)
  }

  function begin(connection: Connection, exchange: Exchange): void {
    connections.touch(connection)
    connection.current = exchange
    // emitted when all of the reply is with the kernel, or when the connection is lost
    exchange.response.once('close', () => end(connection))
    handle(exchange.request, exchange.response as ServerResponse & { req: IncomingMessage })
  }

  function end(connection: Connection): void {
    connections.touch(connection)
    connection.current = undefined
    if (connection.last?.request.complete && connection.waiting.length === 0) connection.last = undefined
    const next = connection.waiting.shift()
    // behind a reply that closes the connection, or on one that is lost, nothing could be answered
    if (next?.request.socket.writable) begin(connection, next)
    else {
      connection.waiting.length = 0
      connection.whenAnswered?.()
    }
  }
}
