import { AsyncResource } from 'node:async_hooks'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Connection, Connections } from './connections.ts'

/** Requests of one connection whose replies may be outstanding. Hardly any client sends even a second. */
const MAX_OUTSTANDING = 64

/**
 * Returns a listener that passes on the requests of one connection one after the other, each when the reply to the one before
 * is with the kernel: a client that reads no reply has one reply in memory, and no request of it is decided ahead of time.
 * Node stops reading from such a client, but first parses all that a read brought: a connection with more than 64 requests
 * outstanding is destroyed (RFC 9112, 9.3.2).
 */
export function handleInSequence(connections: Connections, handle: RequestListener): RequestListener {
  /** What those that wait arrived in: they would else begin in the trace of the request before them. */
  const arrivals = new WeakMap<ServerResponse, AsyncResource>()

  return (request, response) => {
    const connection = connections.of(request.socket)
    if (!connection) return handle(request, response)
    if (connection.waiting.length + 1 >= MAX_OUTSTANDING) return void connection.socket.destroy()
    connection.last = response
    if (connection.current) {
      connection.waiting.push(response)
      arrivals.set(response, new AsyncResource('jeton.waiting-request'))
    } else begin(connection, response)
  }

  function begin(connection: Connection, response: ServerResponse): void {
    connections.touch(connection)
    connection.current = response
    // emitted when all of the reply is with the kernel, or when the connection is lost
    response.on('close', onClose)
    handle(response.req, response as ServerResponse & { req: IncomingMessage })
  }

  /** The same listener for all replies, since to make one for each would be most of what a sequence costs. */
  function onClose(this: ServerResponse): void {
    const connection = connections.of(this.req.socket)
    if (connection?.current === this) end(connection)
  }

  function end(connection: Connection): void {
    connections.touch(connection)
    connection.current = undefined
    if (connection.last?.req.complete && connection.waiting.length === 0) connection.last = undefined
    const next = connection.waiting.shift()
    // behind a reply that closes the connection, or on one that is lost, nothing could be answered
    if (next?.req.socket.writable) arrivals.get(next)?.runInAsyncScope(begin, undefined, connection, next)
    else {
      connection.waiting.length = 0
      connection.whenAnswered?.()
    }
  }
}
