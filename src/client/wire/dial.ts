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
}

export interface Dialed {
  socket: Socket
  address: string
  /** The addresses before it that did not answer, with the reason, as in `10.0.0.7 ECONNREFUSED`. */
  failed: readonly string[]
}

/**
 * Resolves with a TCP connection to the first address that answers, as databases' own clients try them. Rejects with WireError,
 * whose code is the system's for the first address.
 */
export async function dial({ addresses, timeoutMs, clock, ...options }: DialOptions): Promise<Dialed> {
  const failed: string[] = []
  let first: WireError | undefined
  const partMs = Math.ceil(timeoutMs / addresses.length)
  const timedOut = () => new WireError(`no connection within ${partMs / 1000} s`, { failure: 'timeout' })
  for (const address of addresses)
    try {
      const work = (signal: AbortSignal) => dialAddress({ address, signal, ...options })
      return { socket: await withTimeout(work, { clock, timeoutMs: partMs, timedOut }), address, failed }
    } catch (cause) {
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
  signal: AbortSignal
}

function dialAddress({ address, port, allowHalfOpen = false, signal }: DialAddressOptions) {
  return new Promise<Socket>((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen })
    const abort = () => void socket.destroy(new Error('aborted'))
    signal.addEventListener('abort', abort, { once: true })
    socket.once('error', cause => {
      signal.removeEventListener('abort', abort)
      reject(connectionError('no connection', cause))
    })
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort)
      socket.setNoDelay(true)
      // whoever reads has listeners of their own; without any, an error would end the process
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}
