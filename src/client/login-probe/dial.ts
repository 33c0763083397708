import { connect, type Socket } from 'node:net'
import { connectionError } from './byte-channel.ts'

export interface DialOptions {
  /** A numeric address, so that no name is looked up. */
  address: string
  port: number
  /** Ends the attempt. */
  signal: AbortSignal
}

/** Resolves with a TCP connection. Rejects with ProbeError, whose code is the system's. */
export function dial({ address, port, signal }: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
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
