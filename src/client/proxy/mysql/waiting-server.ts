import type { VendedToken } from '../../library/types.ts'
import type { ProtocolParts } from '../protocol.ts'
import { dialServer, type GreetedServer } from './server-login.ts'

/** A server that is dialed, and waits for a client to say who it is. */
export interface WaitingServer {
  /** Rejects with WireError, and if the server was left. */
  readonly greeted: Promise<GreetedServer>
  /** Returns it, once, if it is still there, and where this token leads to. */
  take(token: VendedToken): GreetedServer | undefined
  /** Gives up waiting for the client. */
  leave(): void
}

/** A server that nobody will come for, be it that it has not greeted yet. */
export interface LeftServer {
  readonly token: VendedToken
  readonly greeted: Promise<GreetedServer>
  /** Ends its connection. */
  end(): void
}

export interface WaitingOptions {
  token: VendedToken
  /** For how long it waits once it has greeted. */
  maxMs: number
  /** Called once unless it was taken, or failed. */
  onLeft(server: LeftServer): void
}

/** Dials the server of a token for a client that may go: the connection does not end with the client. */
export function dialForClient(
  parts: Pick<ProtocolParts, 'dial'>,
  { token, maxMs, onLeft }: WaitingOptions,
): WaitingServer {
  const dialing = new AbortController()
  const greeted = dialServer(parts, { token, signal: dialing.signal })
  let server: GreetedServer | undefined
  let isWaiting = true

  function stopWaiting(): void {
    isWaiting = false
    server?.dialed.socket.setTimeout(0).off('timeout', leave)
  }
  function leave(): void {
    if (!isWaiting) return
    stopWaiting()
    onLeft({ token, greeted, end: () => dialing.abort() })
  }
  greeted.then(
    found => {
      server = found
      if (isWaiting) found.dialed.socket.setTimeout(maxMs).once('timeout', leave)
    },
    () => {
      isWaiting = false
    },
  )

  return {
    greeted,
    take(wanted) {
      if (!isWaiting || !server) return undefined
      if (!isSameEndpoint(wanted, token)) return void leave()
      stopWaiting()
      if (server.dialed.socket.readyState === 'open') return server
      dialing.abort()
      return undefined
    },
    leave,
  }
}

function isSameEndpoint(one: VendedToken, other: VendedToken): boolean {
  return one.host === other.host && one.port === other.port && one.connect === other.connect
}
