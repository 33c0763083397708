import type { Clock } from '../../../lib/clock.ts'
import { untilAborted } from '../../../lib/until-aborted.ts'
import type { Stopwatch } from '../../library/stopwatch.ts'
import type { TokenSource } from '../../library/token-source.ts'
import { type Dialed, dial } from '../../wire/dial.ts'
import { openSecureChannel } from '../../wire/secure-channel.ts'
import type { ProtocolParts } from '../protocol.ts'
import { type AddressParts, createFindAddresses } from './find-addresses.ts'
import { createLogIn, type LoginRetryParts } from './log-in.ts'

export interface LoginParts extends AddressParts, Pick<LoginRetryParts, 'random' | 'onTokenRefused'> {
  source: Pick<TokenSource, 'get' | 'refused'>
  clock: Pick<Clock, 'sleep'>
  startStopwatch(): Stopwatch
  waitMs: number
  /** CA certificates in PEM to verify the database with, instead of those that come with a token. */
  caPem?: string | undefined
  callerName?: string | undefined
}

/** For all addresses of a name together. */
const MAX_DIAL_MS = 10_000
/** Networks forget connections that are silent for some minutes. */
const KEEP_ALIVE_MS = 60_000

/** Returns what a protocol logs its clients in to one database with. What it dials is closed when the signal aborts. */
export function createProtocolParts(parts: LoginParts): ProtocolParts {
  const { clock, caPem, callerName } = parts
  const findAddresses = createFindAddresses(parts)

  const dialTarget: ProtocolParts['dial'] = async (token, { signal, address }) => {
    const { addresses, port } = await untilAborted(findAddresses(token), signal)
    const dialing = dial({
      addresses: address === undefined ? addresses : [address],
      port,
      timeoutMs: MAX_DIAL_MS,
      clock,
      allowHalfOpen: true,
      signal,
    })
    dialing.then(({ socket }) => closeOnAbort(socket, signal)).catch(() => {})
    const dialed = await untilAborted(dialing, signal)
    dialed.socket.setKeepAlive(true, KEEP_ALIVE_MS)
    return dialed
  }

  return {
    logIn: createLogIn(parts),
    dial: dialTarget,
    secure: ({ socket }, token) => openSecureChannel(socket, { host: token.host, ca: caPem ?? token.ca.pem }),
    callerName,
  }
}

function closeOnAbort(socket: Dialed['socket'], signal: AbortSignal): void {
  const close = () => void socket.destroy()
  if (signal.aborted) close()
  signal.addEventListener('abort', close, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', close))
}
