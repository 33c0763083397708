import type { Socket } from 'node:net'
import type { App } from './types.ts'

/** Requests of one connection whose replies may be outstanding. Hardly any client sends even a second. */
const MAX_OUTSTANDING = 64

/**
 * Destroys a connection with more than 64 requests whose replies are outstanding. Node stops reading from a client that does
 * not read its replies, but first parses all that a read brought: over a thousand small requests, whose replies may be large
 * (RFC 9112, 9.3.2).
 */
export function limitPipelining(app: App): void {
  const outstanding = new WeakMap<Socket, number>()
  const count = (socket: Socket, change: 1 | -1) => {
    const total = (outstanding.get(socket) ?? 0) + change
    outstanding.set(socket, total)
    return total
  }
  app.addHook('onRequest', ({ raw: { socket } }, _reply, done) => {
    if (count(socket, 1) > MAX_OUTSTANDING) socket.destroy()
    else done()
  })
  app.addHook('onResponse', ({ raw: { socket } }, _reply, done) => {
    count(socket, -1)
    done()
  })
}
