import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { FastifyServerFactory } from 'fastify'
import type { ServerConfig } from '../config/config.ts'

export const MAX_HEADER_BYTES = 32 * 1024
/** How long a request may take to arrive. What jeton itself waits for has limits of its own. */
const REQUEST_TIMEOUT_MS = 10_000
/** How long a connection may be silent: longer than any reply takes. It also ends clients that do not read their reply. */
const SOCKET_TIMEOUT_MS = 30_000
/** Longer than the 60 s of most load balancers, so that they close idle connections and not jeton, in mid-request. */
const KEEP_ALIVE_MS = 72_000

export interface ListenerOptions {
  tls?: ServerConfig['tls']
  /** How long a request may take to arrive, in milliseconds; default 10 s. */
  requestTimeoutMs?: number | undefined
}

/** Returns a factory of Fastify's server: for HTTPS (TLS 1.2 or later) if there is a certificate, else for plain HTTP. */
export function createServerFactory({
  tls,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
}: ListenerOptions): FastifyServerFactory {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // by default, Node looks for late requests only every 30 s
    connectionsCheckingInterval: requestTimeoutMs / 10,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Node would answer a missing Host without problem+json; the app answers it instead
    requireHostHeader: false,
  }
  return (handler): Server => {
    const tlsOptions = { ...tls, minVersion: 'TLSv1.2', handshakeTimeout: requestTimeoutMs } as const
    const server = tls
      ? createTlsServer({ ...limits, ...tlsOptions }, handler)
      : createServer(limits, handler)
    // a server may ignore expectations that it does not know (RFC 9110, 10.1.1)
    server.on('checkExpectation', handler)
    return server.setTimeout(SOCKET_TIMEOUT_MS)
  }
}

export interface ListenAddress {
  host: string
  /** 0 takes any free port. */
  port: number
  /** Makes the URL begin with `https`; the server itself must speak TLS. */
  tls?: object | undefined
}

/** Makes an app listen. Returns its URL, with the host as given and the port that it got. Rejects if the port is taken. */
export async function listen(
  app: { readonly server: Server; listen(address: { host: string; port: number }): Promise<unknown> },
  { host, port, tls }: ListenAddress,
): Promise<string> {
  await app.listen({ host, port })
  const address = app.server.address()
  const actualPort = typeof address === 'object' && address !== null ? address.port : 0
  const isBareIpv6 = host.includes(':') && !host.startsWith('[')
  return `${tls ? 'https' : 'http'}://${isBareIpv6 ? `[${host}]` : host}:${actualPort}`
}
