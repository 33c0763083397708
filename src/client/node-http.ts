import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import type { FindProxy } from '../lib/egress-proxies.ts'
import { bareHost, isLoopback } from '../lib/loopback.ts'
import { markProxied } from '../lib/proxy-failure.ts'
import { systemCode } from '../lib/system-error.ts'
import { type HttpRequest, type RawReply, type Send, type SendOptions, UnreadableReply } from './http.ts'
import { codedError, TLS_EXPECTED } from './network-failure.ts'

export interface NodeSendOptions {
  /** Which proxy a request of https goes through; default: none. Those of http are for this machine, and go directly. */
  findProxy?: FindProxy | undefined
  /** CA certificates in PEM, which take the place of those that Node has. */
  ca?: readonly string[] | undefined
  /** How long a connection may take, with DNS, a proxy and TLS, before it fails with `ETIMEDOUT`. Default: 10 s. */
  connectTimeoutMs?: number
  /** Finds the address of a host that is reached without a proxy; default: as Node does. */
  lookup?: LookupFunction
}

const CONNECT_TIMEOUT_MS = 10_000

/**
 * Returns a `Send` over Node's HTTP client. Each request has a connection of its own, so nothing keeps a process alive. It is
 * used instead of `fetch`, which takes a third of the time of a start to load, and takes no CA. What TLS and proxies need loads
 * with the first request that needs it. Rejects with Node's error, which `networkFailure` explains.
 */
export function createNodeSend({
  findProxy,
  ca,
  connectTimeoutMs = CONNECT_TIMEOUT_MS,
  lookup,
}: NodeSendOptions = {}): Send {
  return async (request, { signal, maxBytes }) => {
    const { url, socketPath } = request
    const isProxied = url.protocol === 'https:' && socketPath === undefined
    const proxy = isProxied ? findProxy?.(url) : undefined
    const connecting = new AbortController()
    let awaitsDns = proxy === undefined && socketPath === undefined && isIP(bareHost(url.hostname)) === 0
    const giveUp = () => connecting.abort(codedError(awaitsDns ? 'EAI_AGAIN' : 'ETIMEDOUT'))
    const timer = setTimeout(giveUp, connectTimeoutMs)
    const connection: Connection = {
      signal: AbortSignal.any([signal, connecting.signal]),
      onAddress: () => {
        awaitsDns = false
      },
      onConnected: () => clearTimeout(timer),
      ca,
      lookup,
    }
    try {
      const tunnel = proxy && (await openTunnelLazily({ proxy, url, ...connection }))
      return await exchange(request, { ...connection, maxBytes, tunnel })
    } catch (cause) {
      throw proxy ? markProxied(cause, proxy.name) : await explainHangUp(cause, request)
    } finally {
      clearTimeout(timer)
    }
  }
}

interface Connection extends Pick<SendOptions, 'signal'> {
  /** Called when DNS has answered. */
  onAddress(): void
  /** Called when the connection stands, with TLS if it has any. */
  onConnected(): void
  ca: readonly string[] | undefined
  lookup: LookupFunction | undefined
}

interface Exchange extends Connection, Pick<SendOptions, 'maxBytes'> {
  /** A connection to the host through a proxy, without TLS yet. */
  tunnel: Socket | undefined
}

async function openTunnelLazily(options: Parameters<typeof import('./tunnel.ts').openTunnel>[0]) {
  const { openTunnel } = await import('./tunnel.ts')
  return openTunnel(options)
}

async function exchange(
  { url, method, headers, body, socketPath }: HttpRequest,
  { signal, onAddress, onConnected, ca, lookup, maxBytes, tunnel }: Exchange,
): Promise<RawReply> {
  const start = await starterFor(url, { ca, tunnel })
  return new Promise((resolve, reject) => {
    const request = start(url, {
      signal,
      // without it, a server may choose any coding (RFC 9110, 12.5.3)
      headers: { 'accept-encoding': 'identity', ...headers },
      ...(method !== undefined && { method }),
      ...(socketPath !== undefined && { socketPath }),
      ...(lookup && { lookup }),
    })
    request.on('error', reject)
    request.on('socket', socket => {
      socket.once('lookup', onAddress)
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', onConnected)
    })
    request.on('response', response => {
      readReply(response, maxBytes).then(resolve, cause => {
        request.destroy()
        reject(cause)
      })
    })
    request.end(body)
  })
}

type Start = (url: URL, options: RequestOptions) => ClientRequest

async function starterFor(
  { protocol, hostname }: URL,
  { ca, tunnel }: Pick<Exchange, 'ca' | 'tunnel'>,
): Promise<Start> {
  if (protocol === 'http:') {
    const { request } = await import('node:http')
    return (url, options) => request(url, { ...options, agent: false })
  }
  const { request } = await import('node:https')
  const trust = ca && { ca: [...ca] }
  if (!tunnel) return (url, options) => request(url, { ...options, agent: false, ...trust })
  const { secureTunnel } = await import('./tunnel.ts')
  return (url, options) =>
    request(url, { ...options, createConnection: () => secureTunnel(tunnel, { hostname, ca }) })
}

/** A server of TLS hangs up on plain HTTP without a word, as one does that restarts: asks which of the two it is. */
async function explainHangUp(cause: unknown, { url, socketPath }: HttpRequest): Promise<unknown> {
  const isHangUp = ['ECONNRESET', 'EPIPE', 'HPE_INVALID_CONSTANT'].includes(systemCode(cause) ?? '')
  if (!isHangUp || url.protocol !== 'http:' || socketPath !== undefined || !isLoopback(url.hostname))
    return cause
  if (cause instanceof UnreadableReply) return cause
  const { speaksTls } = await import('./tls-probe.ts')
  return (await speaksTls(url)) ? codedError(TLS_EXPECTED) : cause
}

async function readReply(response: IncomingMessage, maxBytes: number): Promise<RawReply> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response) {
      bytes += chunk.length
      if (bytes > maxBytes) break
      chunks.push(chunk)
    }
  } catch (cause) {
    throw new UnreadableReply('broke off its answer', { cause })
  }
  if (bytes > maxBytes) throw new UnreadableReply(`answered with more than ${maxBytes} bytes`)
  return { status: response.statusCode ?? 0, headers: singleHeaders(response), body: Buffer.concat(chunks) }
}

function singleHeaders({ headers }: IncomingMessage): RawReply['headers'] {
  const pairs = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ])
  return Object.fromEntries(pairs)
}
