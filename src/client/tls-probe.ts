import { connect } from 'node:tls'
import { bareHost } from '../lib/loopback.ts'

/** Long enough for a server on this machine. */
const TIMEOUT_MS = 2000

/** Whether TLS is spoken at a URL's host and port, whatever certificate it shows. Sends nothing but the beginning of TLS. */
export function speaksTls({ hostname, port }: URL): Promise<boolean> {
  const target = { host: bareHost(hostname), port: Number(port || 80) }
  return new Promise(resolve => {
    const socket = connect({ ...target, rejectUnauthorized: false, timeout: TIMEOUT_MS })
    const end = (isTls: boolean) => {
      socket.destroy()
      resolve(isTls)
    }
    socket.once('secureConnect', () => end(true))
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => end(false))
  })
}
