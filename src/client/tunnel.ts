import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { EgressProxy } from '../lib/egress-proxies.ts'
import { bareHost } from '../lib/loopback.ts'
import { proxyRefusal } from '../lib/proxy-failure.ts'
import { NoTunnel } from './network-failure.ts'

export interface TunnelOptions {
  proxy: EgressProxy
  /** Where the tunnel leads. */
  url: URL
  signal: AbortSignal
  /** CA certificates in PEM, in place of Node's, for a proxy that is spoken to over TLS. */
  ca: readonly string[] | undefined
}

/**
 * Opens a tunnel through an HTTP proxy (RFC 9110, 9.3.6), and returns its socket, without TLS to the host yet. Rejects with
 * `NoTunnel` if the proxy cannot be reached or opens none. Load this file with `import()`: most starts need no proxy.
 */
export async function openTunnel({ proxy, url, signal, ca }: TunnelOptions): Promise<Socket> {
  const { request } = await (proxy.url.protocol === 'https:' ? import('node:https') : import('node:http'))
  const authority = `${url.hostname}:${url.port || 443}`
  const headers = {
    host: authority,
    ...(proxy.authorization !== undefined && { 'proxy-authorization': proxy.authorization }),
  }
  const options = {
    method: 'CONNECT',
    path: authority,
    headers,
    signal,
    agent: false,
    // Node would take the host of the header, and check the proxy's certificate for that
    servername: serverName(proxy.url.hostname),
    ...(ca && { ca: [...ca] }),
  }
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new NoTunnel('the proxy opened no tunnel', { cause: signal.aborted ? signal.reason : cause }))
    request(proxy.url, options)
      .on('error', fail)
      .on('connect', ({ statusCode = 0 }, socket, head) => {
        if (statusCode >= 200 && statusCode < 300) {
          socket.unshift(head)
          return resolve(socket)
        }
        socket.destroy()
        fail(proxyRefusal(statusCode))
      })
      .end()
  })
}

/** Speaks TLS with the host at the end of a tunnel, whose certificate must be for `hostname`. */
export function secureTunnel(
  socket: Socket,
  { hostname, ca }: { hostname: string; ca: readonly string[] | undefined },
): Socket {
  return connectTls({
    socket,
    host: bareHost(hostname),
    servername: serverName(hostname),
    ...(ca && { ca: [...ca] }),
  })
}

/** A server name must not be an address (RFC 6066, 3); the certificate is then checked for the host itself. */
function serverName(hostname: string): string {
  return isIP(bareHost(hostname)) ? '' : hostname
}
