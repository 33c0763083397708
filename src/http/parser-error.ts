import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { JetonError } from '../errors.ts'
import { notFoundError } from './fastify-errors.ts'
import type { SendLastReply } from './last-reply.ts'

export const MAX_HEADER_BYTES = 32 * 1024

/**
 * Returns the handler for what does not parse as HTTP or does not arrive in time. It never becomes a request, so nothing of
 * it is recorded. https://nodejs.org/api/http.html#event-clienterror
 */
export function createParserErrorHandler(sendLastReply: SendLastReply) {
  // Node reports each further chunk again while the reply is on its way
  return (cause: Error & { code?: string }, socket: Socket): void => {
    if (cause.code === 'ECONNRESET') socket.destroy()
    else sendLastReply(socket, errorFor(cause.code))
  }
}

/** Answers CONNECT, which asks for a tunnel and names no path: Node would close the connection without a word. */
export function refuseTunnels(server: Server, sendLastReply: SendLastReply): void {
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    // Node has handed the socket over, with its errors and what it still brings
    socket.on('error', () => socket.destroy()).resume()
    sendLastReply(socket, notFoundError())
  })
}

function errorFor(code: string | undefined): JetonError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new JetonError('headers_too_large', {
      publicMessage: `the headers must be ${MAX_HEADER_BYTES / 1024} KiB or less`,
    })
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return new JetonError('payload_too_large', {
      publicMessage: 'the chunks of the body have long extensions',
    })
  const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT'
  return new JetonError('invalid_request', {
    publicMessage: isLate ? 'the request did not arrive completely in time' : 'this is not HTTP',
  })
}
