import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { FastifyServerFactory } from 'fastify'
import type { ServerConfig } from '../config/config.ts'

export const HEADER_LIMIT_BYTES = 32 * 1024
/** For a request to arrive whole; what jeton itself waits for is bounded elsewhere. */
const REQUEST_TIMEOUT_MS = 10_000
/** Nothing that jeton answers takes so long; a peer that does not read its answers for so long is let go. */
const SILENCE_MS = 30_000
/** Longer than the 60 s of most load balancers, so that it is they who close idle connections. */
const KEEP_ALIVE_MS = 72_000

export interface ListenerOptions {
  tls?: ServerConfig['tls']
  /** For a request to arrive whole, in milliseconds; 10 s unless given. */
  requestTimeoutMs?: number | undefined
}

/** The server that Fastify answers on: HTTPS where there is a certificate. */
export function listener({
  tls,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
}: ListenerOptions): FastifyServerFactory {
  const limits = {
    maxHeaderSize: HEADER_LIMIT_BYTES,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // Node looks for late requests every 30 s only
    connectionsCheckingInterval: requestTimeoutMs / 10,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Node's own answer to a missing one is no problem+json; the app has its own
    requireHostHeader: false,
  }
  return (handler): Server => {
    const ofTls = { ...tls, minVersion: 'TLSv1.2', handshakeTimeout: requestTimeoutMs } as const
    const server = tls ? createTlsServer({ ...limits, ...ofTls }, handler) : createServer(limits, handler)
    // RFC 9110, 10.1.1: what is expected and not known may be passed over
    server.on('checkExpectation', handler)
    return server.setTimeout(SILENCE_MS)
  }
}
