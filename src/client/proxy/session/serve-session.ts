import type { Socket } from 'node:net'
import type { Clock } from '../../../lib/clock.ts'
import { untilAborted } from '../../../lib/until-aborted.ts'
import type { Stopwatch } from '../../library/stopwatch.ts'
import { createByteChannel } from '../../wire/byte-channel.ts'
import type { SecureChannel } from '../../wire/secure-channel.ts'
import type { ClientSession, Link, ProxyProtocol } from '../protocol.ts'
import { SessionError } from '../session-error.ts'
import type { DatabaseWatch, FailureReason } from '../watch-database.ts'
import { finishWriting, lingerOn } from './end-connection.ts'
import { limitReading } from './limit-reading.ts'
import { ClientGone, noticeLeaving } from './notice-leaving.ts'
import { relay } from './relay.ts'

export interface SessionParts {
  protocol: ProxyProtocol
  watch: DatabaseWatch
  describe(cause: unknown): SessionError
  clock: Pick<Clock, 'sleep'>
  startStopwatch(): Stopwatch
  /** How long it may take until the client is logged in. */
  maxLoginMs: number
  /** Ends the session at once when it aborts. */
  stop: AbortSignal
  /** Called with the session's signal, and with what its protocol is to call before it logs in with that. */
  onSignal?(signal: AbortSignal, loginBegins: () => void): void
}

/** How long a client may take until it has said what it wants. */
const MAX_CLIENT_MS = 10_000
/** How long a client may take to close a connection after its error. */
const LINGER_MS = 2000

/** Serves one local connection: speaks with the client, logs in for it, copies bytes. Resolves when all is closed. Never rejects. */
export async function serveSession(socket: Socket, parts: SessionParts): Promise<void> {
  const { protocol, watch, stop } = parts
  const handshake = new AbortController()
  const over = new AbortController()
  const onStop = () => handshake.abort(new SessionError('the proxy is ending', { failure: 'ending' }))
  stop.addEventListener('abort', onStop, { once: true })
  const onTooLong = () => handshake.abort(clientTooSlow())
  const limit = { ...parts, maxMs: MAX_CLIENT_MS, signal: over.signal, onTooLong }
  const channel = createByteChannel(socket, { peer: 'client' })
  const heard = noticeLeaving(socket, { channel, onGone: cause => handshake.abort(cause) })
  parts.onSignal?.(handshake.signal, heard.loginBegins)
  const session = protocol.accept(limitReading(heard.channel, limit))
  try {
    const link = await open(session, { handshake, over, parts }).finally(heard.stop)
    const unread = channel.release()
    if (link) await join({ socket, unread, link }, parts)
    else endConnection(socket)
  } catch (cause) {
    channel.release()
    const error = parts.describe(cause)
    watch.sessionFailed(error, reasonOf(cause, error))
    endConnection(socket, cause instanceof ClientGone ? undefined : session.encodeError(error))
  } finally {
    stop.removeEventListener('abort', onStop)
    // closes what was dialed
    handshake.abort(new ClientGone())
  }
}

interface OpenOptions {
  handshake: AbortController
  /** Ends the watches on its time. */
  over: AbortController
  parts: Pick<SessionParts, 'clock' | 'maxLoginMs'>
}

async function open(
  session: ClientSession,
  { handshake, over, parts: { clock, maxLoginMs } }: OpenOptions,
): Promise<Link | undefined> {
  const { signal } = handshake
  clock.sleep(maxLoginMs, over.signal).then(
    () => handshake.abort(timedOut(maxLoginMs)),
    () => {},
  )
  const opening = session.open(signal)
  // what comes too late is closed by the signal, and has ended
  opening.then(late => signal.aborted && late?.onEnd?.()).catch(() => {})
  return untilAborted(opening, signal).finally(() => over.abort())
}

function clientTooSlow(): SessionError {
  return new SessionError(`the client did not say within ${MAX_CLIENT_MS / 1000} s what it wants`, {
    failure: 'timeout',
  })
}

function timedOut(maxLoginMs: number): SessionError {
  return new SessionError(`no login within ${maxLoginMs / 1000} s`, { failure: 'timeout' })
}

async function join(
  { socket, unread, link }: { socket: Socket; unread: Buffer; link: Link },
  { watch, stop }: Pick<SessionParts, 'watch' | 'stop'>,
): Promise<void> {
  const { stream } = link.server
  const end = () => {
    socket.destroy()
    stream.destroy()
  }
  watch.sessionOpened()
  stop.addEventListener('abort', end, { once: true })
  try {
    passOn(link, { socket, unread })
    if (stop.aborted) end()
    await relay({ client: socket, server: stream, endServer: link.server.endWriting })
  } finally {
    stop.removeEventListener('abort', end)
    watch.sessionEnded({ toServer: socket.bytesRead, toClient: socket.bytesWritten })
    link.onEnd?.()
  }
}

/** Sends each side what the other has sent already. */
function passOn(
  { server, toClient }: { server: SecureChannel; toClient: Buffer },
  { socket, unread }: { socket: Socket; unread: Buffer },
): void {
  const fromServer = server.release()
  socket.write(Buffer.concat([toClient, fromServer]))
  if (unread.length > 0) server.stream.write(unread)
}

function endConnection(socket: Socket, last?: Buffer): void {
  if (last && last.length > 0 && socket.writable) socket.write(last)
  finishWriting(socket, () => lingerOn(socket, LINGER_MS))
}

function reasonOf(cause: unknown, { failure }: SessionError): FailureReason {
  if (cause instanceof ClientGone) return 'client_gone'
  const isKnown = cause instanceof Error && ['SessionError', 'TokenError', 'WireError'].includes(cause.name)
  return isKnown ? failure : 'bug'
}
