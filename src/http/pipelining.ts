import type { Socket } from 'node:net'
import type { App } from './types.ts'

/** Requests of one connection that may wait for their answers to be read. Hardly any client sends even a second. */
const MOST_UNANSWERED = 64

/**
 * Cuts off who asks on and on and reads none of the answers: Node parses all that has arrived before it looks at what
 * is unread, and a small request may have a large answer (RFC 9112, 9.3.2).
 */
export function limitPipelining(app: App): void {
  const unanswered = new WeakMap<Socket, number>()
  const count = (socket: Socket, by: number) => {
    const now = (unanswered.get(socket) ?? 0) + by
    unanswered.set(socket, now)
    return now
  }
  app.addHook('onRequest', ({ raw: { socket } }, _reply, done) => {
    if (count(socket, 1) > MOST_UNANSWERED) socket.destroy()
    else done()
  })
  app.addHook('onResponse', ({ raw: { socket } }, _reply, done) => {
    count(socket, -1)
    done()
  })
}
