import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { FastifyServerOptions } from 'fastify'
import type { ServerConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { systemCode, systemCodeNote } from '../lib/system-error.ts'
import type { Log } from '../telemetry/log.ts'
import type { ConnectionMetrics } from '../telemetry/metrics.ts'
import { type ConnectionLimits, limitConnections } from './connection-limits.ts'
import { followConnections } from './connections.ts'
import { answerExpectations } from './expectations.ts'
import { createLastReply } from './last-reply.ts'
import { createParserErrorHandler, MAX_HEADER_BYTES, refuseTunnels } from './parser-error.ts'
import { handleInSequence } from './request-sequence.ts'
import { secureContextOptions } from './tls-context.ts'
import { cutUnreadReplies } from './unread-replies.ts'

/** How long a request may take to arrive. What jeton itself waits for has limits of its own. */
const REQUEST_TIMEOUT_MS = 10_000
/** How long a client may take to read a reply: even the largest CA bundle takes less over 10 KB/s. */
const REPLY_TIMEOUT_MS = 30_000
/** How long a connection may be silent: longer than any reply takes. */
const SOCKET_TIMEOUT_MS = 30_000
/** Longer than the 60 s of most load balancers, so that they close idle connections and not jeton, in mid-request. */
const KEEP_ALIVE_MS = 72_000

export interface ListenerOptions {
  tls?: ServerConfig['tls']
  /** Default: no limit. */
  connections?: ConnectionLimits | undefined
  /** How long a TLS handshake or a request may take to arrive, in milliseconds; default 10 s. */
  requestTimeoutMs?: number | undefined
  /** How long a client may take to read a reply, in milliseconds; default 30 s. */
  replyTimeoutMs?: number | undefined
}

export interface ListenerParts {
  clock: Clock
  log: Log
  metrics: ConnectionMetrics
}

/**
 * Returns Fastify's options for its server, which speaks HTTPS if there is a certificate, else plain HTTP. It limits how many
 * connections there are, how long each may take and what each may keep in memory, and answers what never becomes a request.
 */
export function createListener(
  { tls, connections: limits, ...options }: ListenerOptions,
  parts: ListenerParts,
): Required<Pick<FastifyServerOptions, 'clientErrorHandler' | 'serverFactory'>> {
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS, replyTimeoutMs = REPLY_TIMEOUT_MS } = options
  const settings = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // by default, Node looks for late requests only every 30 s
    connectionsCheckingInterval: requestTimeoutMs / 10,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Node would answer a missing Host without problem+json; the app answers it instead
    requireHostHeader: false,
    // Node would drop the second of two headers that must be one; joined, no such value is valid
    joinDuplicateHeaders: true,
  }
  const server = tls
    ? createTlsServer({ ...settings, ...secureContextOptions(tls), handshakeTimeout: requestTimeoutMs })
    : createServer(settings)
  // Node would drop headers beyond 2,000 unseen; their size is limited as it is
  server.maxHeadersCount = 0
  server.setTimeout(SOCKET_TIMEOUT_MS)
  const connections = followConnections(server)
  if (limits) limitConnections(server, { connections, limits, ...parts })
  const sendLastReply = createLastReply({ connections, clock: parts.clock })
  refuseTunnels(server, sendLastReply)
  cutUnreadReplies(server, { connections, replyTimeoutMs, metrics: parts.metrics })

  return {
    serverFactory(handler) {
      const listener = handleInSequence(connections, handler)
      server.on('request', listener)
      answerExpectations(server, listener)
      return server
    },
    clientErrorHandler: createParserErrorHandler(sendLastReply),
  }
}

export interface ListenAddress {
  host: string
  /** 0 takes any free port. */
  port: number
  /** Makes the URL begin with `https`; the server itself must speak TLS. */
  tls?: object | undefined
}

const LISTEN_REMEDIES = new Map([
  [
    'EADDRINUSE',
    'another program listens there: end it, or set another port (server.port or --port, server.admin.port)',
  ],
  ['EACCES', 'this user may not: set a port from 1024 on, or give jeton the capability CAP_NET_BIND_SERVICE'],
  ['EADDRNOTAVAIL', 'this machine has no such address: set server.host or --host, or server.admin.host'],
])

/**
 * Makes an app listen. Returns its URL, with the host as given and the port that it got. Rejects if it cannot listen there,
 * for example because the port is taken, with an Error that says what to do.
 */
export async function listen(
  app: { readonly server: Server; listen(address: { host: string; port: number }): Promise<unknown> },
  { host, port, tls }: ListenAddress,
): Promise<string> {
  await app.listen({ host, port }).catch(cause => {
    const remedy = LISTEN_REMEDIES.get(systemCode(cause) ?? '')
    const place = `${urlHost(host)}:${port}`
    throw new Error(`cannot listen on ${place}${systemCodeNote(cause)}${remedy ? `: ${remedy}` : ''}`, {
      cause,
    })
  })
  const address = app.server.address()
  const actualPort = typeof address === 'object' && address !== null ? address.port : 0
  return `${tls ? 'https' : 'http'}://${urlHost(host)}:${actualPort}`
}

function urlHost(host: string): string {
  const isBareIpv6 = host.includes(':') && !host.startsWith('[')
  return isBareIpv6 ? `[${host}]` : host
}
