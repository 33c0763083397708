import { connect, type Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { withTimeout } from '../../lib/deadline.ts'
import { connectionError } from './byte-channel.ts'
import { WireError } from './wire-error.ts'

export interface DialOptions {
  /** Numeric, so that no name is looked up. */
  addresses: readonly string[]
  port: number
  /** For all of them together: each has an equal part of it. */
  timeoutMs: number
  clock: Pick<Clock, 'sleep'>
  /** Whether an end of the connection leaves the other open, as `net.Socket` has it; default: no. */
  allowHalfOpen?: boolean
  /** Ends the dialing when it aborts, and not the connection. */
  signal?: AbortSignal
}

export interface Dialed {
  socket: Socket
  address: string
  /** The addresses before it that did not answer, with the reason, as in `10.0.0.7 ECONNREFUSED`. */
  failed: readonly string[]
}

/**
 * Resolves with a TCP connection to the first address that answers, as databases' own clients try them. Rejects with WireError,
 * whose code is the system's for the first address, or with the signal's reason.
 */
export async function dial({
  addresses,
  timeoutMs,
  clock,
  signal,
  ...options
}: DialOptions): Promise<Dialed> {
  const failed: string[] = []
  let first: WireError | undefined
  const partMs = Math.ceil(timeoutMs / addresses.length)
  const timedOut = () => new WireError(`no connection within ${partMs / 1000} s`, { failure: 'timeout' })
  signal?.throwIfAborted()
  for (const address of addresses)
    try {
      const work = (over: AbortSignal) => {
        const signals = signal ? [over, signal] : [over]
        return dialAddress({ address, signals, ...options })
      }
      return { socket: await withTimeout(work, { clock, timeoutMs: partMs, timedOut }), address, failed }
    } catch (cause) {
      signal?.throwIfAborted()
      if (!(cause instanceof WireError)) throw cause
      first ??= cause
      failed.push(`${address} ${cause.code ?? cause.failure}`)
    }
  if (first === undefined || failed.length === 1) throw first ?? connectionError('there is no address')
  const { failure, code } = first
  throw new WireError(`no connection: ${failed.join(', ')}`, { failure, code, cause: first })
}

interface DialAddressOptions extends Pick<DialOptions, 'port' | 'allowHalfOpen'> {
  address: string
  /** Each of them ends the dialing. */
  signals: readonly AbortSignal[]
}

function dialAddress({ address, port, allowHalfOpen = false, signals }: DialAddressOptions) {
  return new Promise<Socket>((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen })
    const abort = () => void socket.destroy(new Error('aborted'))
    for (const signal of signals) signal.addEventListener('abort', abort, { once: true })
    const isOver = () => {
      for (const signal of signals) signal.removeEventListener('abort', abort)
    }
    socket.once('error', cause => {
      isOver()
      reject(connectionError('no connection', cause))
    })
    socket.once('connect', () => {
      isOver()
      socket.setNoDelay(true)
      // whoever reads has listeners of their own; without any, an error would end the process
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}
