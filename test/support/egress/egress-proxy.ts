import { createServer, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { promisify } from 'node:util'
import { listenOnLoopback } from '../../../src/dev/loopback-server.ts'
import type { Certificate } from '../../../src/dev/postgres/certificate-authority.ts'

export interface EgressProxyOptions {
  /** The loopback port for each `HOST:PORT` that the proxy knows; it answers 502 for all others. */
  routes: Readonly<Record<string, number>>
  /** `USER:PASSWORD` that it asks for; none unless given. */
  credentials?: string
  /** Its certificate if it speaks TLS; plain HTTP unless given. */
  tls?: Certificate
}

/** A stand-in for an HTTP proxy, which alone knows where hosts are. */
export interface EgressProxyServer {
  readonly port: number
  /** What was asked of it in order: `CONNECT host:port`, or the method and the URL of a request in absolute form. */
  readonly requests: string[]
  /** The status of every answer, until it is set to undefined. */
  refusal: number | undefined
  /** Whether it takes connections and says nothing; what it was asked meanwhile is never answered. */
  isSilent: boolean
  /** How many connections are open. */
  connections(): Promise<number>
  close(): Promise<void>
}

/** Starts a proxy on loopback that opens tunnels (RFC 9110, 9.3.6) and forwards requests in absolute form (RFC 9112, 3.2.2). */
export async function startEgressProxy(options: EgressProxyOptions): Promise<EgressProxyServer> {
  const { routes, credentials, tls } = options
  const requests: string[] = []
  const sockets = new Set<Duplex>()
  const behaviour: Pick<EgressProxyServer, 'refusal' | 'isSilent'> = { refusal: undefined, isSilent: false }

  function statusFor({ headers }: IncomingMessage, host: string): number {
    const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`
    if (behaviour.refusal !== undefined) return behaviour.refusal
    if (headers['proxy-authorization'] !== expected) return 407
    return routes[host] === undefined ? 502 : 200
  }

  function forward(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request
    requests.push(`${method} ${url}`)
    const { host, port, pathname, search } = new URL(url)
    const key = port === '' ? `${host}:80` : host
    const status = statusFor(request, key)
    if (status !== 200) return void response.writeHead(status).end('<html>the proxy says no</html>')
    const { 'proxy-authorization': _secret, ...forwarded } = headers
    const target = { host: '127.0.0.1', port: routes[key], method, path: pathname + search }
    const outgoing = sendRequest({ ...target, headers: forwarded }, reply => {
      response.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(response)
    })
    request.pipe(outgoing)
  }

  function tunnel(request: IncomingMessage, client: Duplex, head: Buffer): void {
    const host = request.url ?? ''
    requests.push(`CONNECT ${host}`)
    sockets.add(client)
    client.on('error', () => {})
    if (behaviour.isSilent) return void client.resume().on('end', () => client.destroy())
    const status = statusFor(request, host)
    if (status !== 200) return void client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 2\r\n\r\nno`)
    const upstream: Socket = connect(routes[host] ?? 0, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => [client, upstream].forEach(each => void each.destroy()))
    }
  }

  const server = tls ? createTlsServer({ cert: tls.certPem, key: tls.keyPem }) : createServer()
  const { port, close } = await listenOnLoopback(server.on('request', forward).on('connect', tunnel))
  return Object.assign(behaviour, {
    port,
    requests,
    connections: () => promisify<number>(done => server.getConnections(done))(),
    async close() {
      for (const socket of sockets) socket.destroy()
      await close()
    },
  })
}
