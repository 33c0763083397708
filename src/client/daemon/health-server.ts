import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isIPv6 } from 'node:net'
import { systemCode, systemCodeNote } from '../../lib/system-error.ts'
import { failure } from '../errors.ts'
import type { DaemonHealth } from './daemon-health.ts'
import type { HealthAddress } from './health-address.ts'
import { METRICS_TYPE, renderMetrics } from './metrics-text.ts'

export interface HealthServer {
  /** As in `http://127.0.0.1:9100`. */
  readonly url: string
  close(): void
}

/** Whoever watches asks for one thing in a moment. */
const MAX_CONNECTIONS = 50
const MAX_HEADER_BYTES = 8 * 1024
const MAX_REQUEST_MS = 5000
const CHECK_MS = 1000

/**
 * Resolves once `GET /healthz`, `/readyz` and `/metrics` are answered at an address. Neither that nor a connection to it keeps
 * the process alive. Rejects with CallerError if the port cannot be had.
 */
export async function startHealthServer(
  { host, port }: HealthAddress,
  health: DaemonHealth,
): Promise<HealthServer> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: MAX_REQUEST_MS,
      requestTimeout: MAX_REQUEST_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
    (request, response) => answer(request, { response, health }),
  )
  server.maxConnections = MAX_CONNECTIONS
  // of a client that does not read
  server.setTimeout(MAX_REQUEST_MS, socket => socket.destroy())
  server.on('connection', socket => socket.unref())
  await listen(server, { host, port })
  server.unref()
  const address = server.address()
  const boundPort = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${boundPort}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function listen(server: Server, { host, port }: HealthAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', cause => {
      const why =
        systemCode(cause) === 'EADDRINUSE'
          ? 'another program listens there: give --health another port'
          : `it cannot be listened on${systemCodeNote(cause)}`
      reject(failure(`--health ${host}:${port}: ${why}`, cause))
    })
    server.listen({ host, port }, resolve)
  })
}

function answer(
  { method, url = '' }: IncomingMessage,
  { response, health }: { response: ServerResponse; health: DaemonHealth },
): void {
  const { status, text, type = 'application/json' } = replyTo(url.replace(/\?.*$/s, ''), { method, health })
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    connection: 'close',
    ...(status === 405 && { allow: 'GET, HEAD' }),
  })
  response.end(method === 'HEAD' ? undefined : text)
}

interface Reply {
  status: number
  text: string
  /** Default: JSON. */
  type?: string
}

function replyTo(
  path: string,
  { method, health }: { method: string | undefined; health: DaemonHealth },
): Reply {
  if (!['/healthz', '/readyz', '/metrics'].includes(path))
    return { status: 404, text: '{"error":"not found: /healthz, /readyz and /metrics are here"}\n' }
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, text: '{"error":"GET and HEAD alone are answered"}\n' }
  if (path === '/healthz') return { status: 200, text: '{"status":"ok"}\n' }
  if (path === '/metrics') return { status: 200, text: renderMetrics(health.metrics()), type: METRICS_TYPE }
  const problem = health.problem()
  return problem === undefined
    ? { status: 200, text: '{"status":"ready"}\n' }
    : { status: 503, text: `${JSON.stringify({ status: 'not ready', problem })}\n` }
}
