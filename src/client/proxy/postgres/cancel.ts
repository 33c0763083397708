import { withDeadline } from '../../../lib/deadline.ts'
import { untilAborted } from '../../../lib/until-aborted.ts'
import type { VendedToken } from '../../library/types.ts'
import { WireError } from '../../wire/wire-error.ts'
import { SessionError } from '../session-error.ts'
import { type ConnectOptions, type ConnectParts, onServer } from './server-login.ts'

/** Where the sessions of one database are, so that a request to cancel a query goes where that runs. */
export interface Cancels {
  /** Returns a function that forgets the session. */
  remember(session: { cancelKey: Buffer; address: string; token: VendedToken }): () => void
  /**
   * Sends a client's request, as it came, and resolves when the server has closed: it is done then. That goes on for at most
   * 10 s though the signal aborts, because a client may be gone as soon as it has asked. A key that is none of a session's goes
   * nowhere. Rejects with WireError and SessionError.
   */
  forward(request: Buffer, signal: AbortSignal): Promise<void>
}

const MAX_CANCEL_MS = 10_000
/** Each is a connection, and not all of them have one of a client's. */
const MAX_CANCELS = 256

export function createCancels(parts: ConnectParts): Cancels {
  const addresses = new Map<string, { address: string }>()
  /** Of any age: it says where the database is, and is not sent. */
  let lastToken: VendedToken | undefined
  let running = 0

  async function send(request: Buffer, options: ConnectOptions): Promise<void> {
    await onServer(parts, options, async (server, { socket }) => {
      server.write(request)
      // the server answers by closing alone
      await server.read(Number.MAX_SAFE_INTEGER).catch(() => {})
      socket.destroy()
    })
  }

  async function sendInTime(request: Buffer, place: Omit<ConnectOptions, 'signal'>): Promise<void> {
    running++
    try {
      await withDeadline(MAX_CANCEL_MS, signal => send(request, { ...place, signal }))
    } catch (cause) {
      if (!(cause instanceof DOMException && cause.name === 'TimeoutError')) throw cause
      throw new WireError(`no cancel within ${MAX_CANCEL_MS / 1000} s`, { failure: 'timeout', cause })
    } finally {
      running--
    }
  }

  return {
    remember({ cancelKey, address, token }) {
      const key = cancelKey.toString('latin1')
      const session = { address }
      addresses.set(key, session)
      lastToken = token
      return () => {
        if (addresses.get(key) === session) addresses.delete(key)
      }
    },
    async forward(request, signal) {
      const session = addresses.get(request.toString('latin1', 8))
      // a server says nothing either, and is spared the connection
      if (session === undefined || lastToken === undefined) return
      if (running >= MAX_CANCELS)
        throw new SessionError('too many requests to cancel a query at once', { failure: 'too_many' })
      await untilAborted(sendInTime(request, { ...session, token: lastToken }), signal)
    },
  }
}
