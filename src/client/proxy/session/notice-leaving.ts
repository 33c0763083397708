import type { Socket } from 'node:net'
import type { ByteChannel } from '../../wire/byte-channel.ts'
import { WireError } from '../../wire/wire-error.ts'

/** The client went away before it was logged in: nobody is there to be told anything. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

export interface HeardClient {
  /** The client's, with reads that reject with ClientGone once it is gone. */
  readonly channel: ByteChannel
  /** To be called when a login begins. */
  loginBegins(): void
  /** Notices nothing any more. */
  stop(): void
}

/**
 * Calls `onGone` when a client's connection is closed, or when it has ended its side during a login without having asked for anything
 * more: from a socket that is half closed nobody can tell the two. One that has sent its query along is served.
 */
export function noticeLeaving(
  socket: Socket,
  { channel, onGone }: { channel: ByteChannel; onGone(cause: ClientGone): void },
): HeardClient {
  let bytesHeard = 0
  let isLoggingIn = false
  const gone = () => onGone(new ClientGone())
  function check(): void {
    // where the server speaks first, its protocol reads on, and so learns of the end
    if (isLoggingIn && socket.readableEnded && bytesHeard > 0 && bytesHeard === socket.bytesRead) gone()
  }
  socket.once('end', check).once('close', gone)
  return {
    channel: {
      ...channel,
      async read(length) {
        try {
          const bytes = await channel.read(length)
          bytesHeard += bytes.length
          return bytes
        } catch (cause) {
          throw cause instanceof WireError && cause.failure === 'connection' ? new ClientGone() : cause
        }
      },
    },
    loginBegins() {
      isLoggingIn = true
      check()
    },
    stop: () => void socket.off('end', check).off('close', gone),
  }
}
