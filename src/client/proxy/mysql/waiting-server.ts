import type { VendedToken } from '../../library/types.ts'
import type { GreetedServer } from './server-login.ts'

/** A greeted server that waits for a client to say who it is. */
export interface WaitingServer {
  /** Returns it, once, if it is still there, and where this token leads to. */
  take(token: VendedToken): GreetedServer | undefined
  /** Gives up waiting for the client. */
  leave(): void
}

export interface WaitingOptions {
  maxMs: number
  /** Called once with a server that is there, and that no client has come for. */
  onLeft(server: GreetedServer): void
}

/** Keeps a server for a client for `maxMs`, and leaves it then; the signal that it was dialed with does not end it any more. */
export function keepWaiting(server: GreetedServer, { maxMs, onLeft }: WaitingOptions): WaitingServer {
  const { socket } = server.dialed
  let isWaiting = true
  server.outliveSignal()

  function stopWaiting(): GreetedServer | undefined {
    if (!isWaiting) return undefined
    isWaiting = false
    socket.setTimeout(0).off('timeout', leave)
    if (socket.readyState === 'open') return server
    socket.destroy()
    return undefined
  }
  function leave(): void {
    const left = stopWaiting()
    if (left) onLeft(left)
  }
  socket.setTimeout(maxMs).once('timeout', leave)

  return {
    take(token) {
      if (endpointOf(token) === endpointOf(server.token)) return stopWaiting()
      leave()
      return undefined
    },
    leave,
  }
}

function endpointOf({ host, port, connect }: VendedToken): string {
  return `${host}:${port} ${connect ?? ''}`
}
