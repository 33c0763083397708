import { untilAborted } from '../../../lib/until-aborted.ts'
import type { VendedToken } from '../../library/types.ts'
import type { ByteChannel } from '../../wire/byte-channel.ts'
import type { ClientSession, Link, ProtocolParts, ProxyProtocol } from '../protocol.ts'
import { SessionError } from '../session-error.ts'
import { createCancels } from './cancel.ts'
import { encodeErrorResponse } from './error-response.ts'
import { MAX_STARTUP_BYTES, readFirstMessage } from './first-message.ts'
import { logInToServer, onServer } from './server-login.ts'
import { encodeStartup, type Startup } from './startup.ts'

/** Returns the protocol of PostgreSQL, version 3, for one database. Sessions of the same one can cancel each other's queries. */
export function createPostgresProxy(parts: ProtocolParts): ProxyProtocol {
  const cancels = createCancels(parts)

  async function logIn(startup: Startup, token: VendedToken, signal: AbortSignal): Promise<Link> {
    const { user, dbname } = token
    const message = encodeStartup(startup, { user, dbname, callerName: parts.callerName })
    if (message.length > 4 + MAX_STARTUP_BYTES)
      throw new SessionError('the startup message is too long', { failure: 'unsupported' })
    const { server, address, toClient, cancelKey } = await onServer(
      parts,
      { token, signal },
      async (server, { address }) => ({
        server,
        address,
        ...(await logInToServer(server, { startup: message, token: token.token })),
      }),
    )
    const forget = cancelKey && cancels.remember({ cancelKey, address, token })
    return { server, toClient, ...(forget && { onEnd: forget }) }
  }

  /** Logs in, and ends a link that nobody takes because the time is over. */
  async function openLink(startup: Startup, signal: AbortSignal): Promise<Link> {
    let link: Link | undefined
    const attempt = async (token: VendedToken) => {
      link = await logIn(startup, token, signal)
      return link
    }
    return parts.logIn(attempt, signal).catch(cause => {
      link?.onEnd?.()
      link?.server.close()
      throw cause
    })
  }

  function accept(client: ByteChannel): ClientSession {
    /** What the client can be told: nothing while it listens to nobody. */
    let state: 'silent' | 'asked' | 'deaf' = 'silent'
    return {
      async open(signal) {
        const first = await untilAborted(readFirstMessage(client), signal)
        state = first?.kind === 'startup' ? 'asked' : 'deaf'
        if (first === undefined)
          throw new SessionError('what connects does not speak PostgreSQL, or begins with TLS at once', {
            failure: 'unsupported',
          })
        if (first.kind === 'startup') return openLink(first.startup, signal)
        await cancels.forward(first.bytes, signal)
        return undefined
      },
      encodeError(error) {
        const isHeard = state === 'asked' || (state === 'silent' && error.failure !== 'timeout')
        return isHeard ? encodeErrorResponse(error) : Buffer.alloc(0)
      },
    }
  }

  return { accept }
}
