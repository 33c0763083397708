import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Connection, Connections } from './connections.ts'
import { rawProblem } from './problem.ts'

/** Long enough for the reply to arrive, and no longer, because clients that send garbage would hold sockets. */
const LINGER_MS = 2000

export interface LastReplyParts {
  connections: Pick<Connections, 'of'>
  clock: Clock
}

/** Answers what never becomes a request, and ends the connection. Later calls for the same socket do nothing. */
export type SendLastReply = (socket: Socket, error: JetonError) => void

/**
 * Returns a function that writes a problem to the bare socket, behind the replies to the requests before it, or in place of
 * the reply to the request that the fault is a part of. A request that has its reply gets no second one, which its client
 * would take for the reply to the next. Without anything to say, or anybody to say it to, the connection just ends.
 */
export function createLastReply({ connections, clock }: LastReplyParts): SendLastReply {
  const answered = new WeakSet<Socket>()
  return (socket, error) => {
    if (answered.has(socket)) return
    const connection = connections.of(socket)
    // without a connection, it is in its TLS handshake
    if (!socket.writable || !connection) return void socket.destroy()
    answered.add(socket)
    const broken = takeBroken(connection)
    const hasReply = broken?.headersSent === true
    const end = () => {
      socket.end(hasReply ? '' : rawProblem(error, randomUUID()))
      void destroyLater(socket, clock)
    }
    const { current } = connection
    if (current === undefined || (current === broken && !hasReply)) end()
    else connection.whenAnswered = end
  }
}

/** Returns the reply to the last request if its body has not arrived completely, and takes it out of those that wait. */
function takeBroken({ last, waiting }: Connection): ServerResponse | undefined {
  if (!last || last.req.complete) return undefined
  if (waiting.at(-1) === last) waiting.pop()
  return last
}

/**
 * Leaves the client 2 s to read the reply, while Node reads the rest: if a socket is closed before everything was read, TCP
 * resets it and the reply is lost (RFC 9112, 9.6).
 */
async function destroyLater(socket: Socket, clock: Clock): Promise<void> {
  const closed = new AbortController()
  socket.once('close', () => closed.abort())
  await clock.sleep(LINGER_MS, closed.signal).catch(() => {})
  socket.destroy()
}
