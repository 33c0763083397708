import { connect, type Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { withTimeout } from '../../lib/deadline.ts'
import { connectionError } from './byte-channel.ts'
import { ProbeError } from './probe-error.ts'

export interface DialOptions {
  /** Numeric, so that no name is looked up. */
  addresses: readonly string[]
  port: number
  /** For all of them together: each has an equal part of it. */
  timeoutMs: number
  clock: Pick<Clock, 'sleep'>
}

export interface Dialed {
  socket: Socket
  address: string
  /** The addresses before it that did not answer, with the reason, as in `10.0.0.7 ECONNREFUSED`. */
  failed: readonly string[]
}

/**
 * Resolves with a TCP connection to the first address that answers, as databases' own clients try them. Rejects with ProbeError,
 * whose code is the system's for the first address.
 */
export async function dial({ addresses, port, timeoutMs, clock }: DialOptions): Promise<Dialed> {
  const failed: string[] = []
  let first: ProbeError | undefined
  const partMs = Math.ceil(timeoutMs / addresses.length)
  const timedOut = () => new ProbeError(`no connection within ${partMs / 1000} s`, { failure: 'timeout' })
  for (const address of addresses)
    try {
      const work = (signal: AbortSignal) => dialAddress({ address, port, signal })
      return { socket: await withTimeout(work, { clock, timeoutMs: partMs, timedOut }), address, failed }
    } catch (cause) {
      if (!(cause instanceof ProbeError)) throw cause
      first ??= cause
      failed.push(`${address} ${cause.code ?? cause.failure}`)
    }
  if (first === undefined || failed.length === 1) throw first ?? connectionError('there is no address')
  const { failure, code } = first
  throw new ProbeError(`no connection: ${failed.join(', ')}`, { failure, code, cause: first })
}

function dialAddress({ address, port, signal }: { address: string; port: number; signal: AbortSignal }) {
  return new Promise<Socket>((resolve, reject) => {
    const socket = connect({ host: address, port })
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
