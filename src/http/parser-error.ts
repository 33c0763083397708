import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { HEADER_LIMIT_BYTES } from './listener.ts'
import { rawProblem } from './problem.ts'

/** For the answer to arrive, and no longer: whoever sends garbage shall not keep a socket for it. */
const LINGER_MS = 2000

/**
 * What does not parse as HTTP, or does not arrive in time, never becomes a request: it is answered on the bare socket.
 * https://nodejs.org/api/http.html#event-clienterror
 */
export function parserErrors(clock: Clock) {
  const answered = new WeakSet<Socket>()
  return (cause: Error & { code?: string }, socket: Socket): void => {
    // every further piece is told of again, while the first answer is on its way
    if (answered.has(socket)) return
    if (cause.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    answered.add(socket)
    socket.end(rawProblem(problemFor(cause.code), randomUUID()))
    void linger(socket, clock)
  }
}

function problemFor(code: string | undefined): JetonError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new JetonError('headers_too_large', {
      publicMessage: `the headers fit into ${HEADER_LIMIT_BYTES / 1024} KiB`,
    })
  const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT'
  return new JetonError('invalid_request', {
    publicMessage: isLate ? 'the request did not arrive whole in time' : 'this is not HTTP',
  })
}

/** Node goes on reading meanwhile: closed over what was not read, TCP resets and the answer is lost (RFC 9112, 9.6). */
async function linger(socket: Socket, clock: Clock): Promise<void> {
  const closed = new AbortController()
  socket.once('close', () => closed.abort())
  await clock.sleepUntil(clock.now() + LINGER_MS, closed.signal).catch(() => {})
  socket.destroy()
}
