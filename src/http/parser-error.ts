import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { MAX_HEADER_BYTES } from './listener.ts'
import { rawProblem } from './problem.ts'

/** Long enough for the reply to arrive, and no longer, because clients that send garbage would hold sockets. */
const LINGER_MS = 2000

/**
 * Creates the handler for what does not parse as HTTP or does not arrive in time. It never becomes a request, so the problem
 * is written to the bare socket. https://nodejs.org/api/http.html#event-clienterror
 */
export function createParserErrorHandler(clock: Clock) {
  const answered = new WeakSet<Socket>()
  return (cause: Error & { code?: string }, socket: Socket): void => {
    // Node reports each further chunk again while the reply is on its way
    if (answered.has(socket)) return
    if (cause.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    answered.add(socket)
    socket.end(rawProblem(errorFor(cause.code), randomUUID()))
    void destroyLater(socket, clock)
  }
}

function errorFor(code: string | undefined): JetonError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new JetonError('headers_too_large', {
      publicMessage: `the headers must be ${MAX_HEADER_BYTES / 1024} KiB or less`,
    })
  const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT'
  return new JetonError('invalid_request', {
    publicMessage: isLate ? 'the request did not arrive completely in time' : 'this is not HTTP',
  })
}

/**
 * Leaves the client 2 s to read the reply, while Node reads the rest: if a socket is closed before everything was read, TCP
 * resets it and the reply is lost (RFC 9112, 9.6).
 */
async function destroyLater(socket: Socket, clock: Clock): Promise<void> {
  const closed = new AbortController()
  socket.once('close', () => closed.abort())
  await clock.sleepUntil(clock.now() + LINGER_MS, closed.signal).catch(() => {})
  socket.destroy()
}
