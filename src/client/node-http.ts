import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { EgressProxy, FindProxy } from '../lib/egress-proxies.ts'
import { markProxied, proxyRefusal } from '../lib/proxy-failure.ts'
import { type HttpRequest, type RawReply, type Send, type SendOptions, UnreadableReply } from './http.ts'

export interface NodeSendOptions {
  /** Which proxy a request goes through; default: none. */
  findProxy?: FindProxy
  /** CA certificates in PEM, which take the place of those that Node has. */
  ca?: readonly string[] | undefined
}

/**
 * Returns a `Send` over Node's HTTP client. Each request has a connection of its own, so nothing keeps a process alive. It is
 * used instead of `fetch`, which takes a third of the time of a start to load, and takes no CA. What TLS and proxies need loads
 * with the first request that needs it.
 */
export function createNodeSend({ findProxy, ca }: NodeSendOptions = {}): Send {
  return async (request, options) => {
    const proxy = request.socketPath === undefined ? findProxy?.(request.url) : undefined
    try {
      const start = await starterFor(request.url, { ca, proxy })
      return await exchange(request, { ...options, start })
    } catch (cause) {
      throw proxy && !(cause instanceof UnreadableReply) ? markProxied(cause, proxy.name) : cause
    }
  }
}

type Start = (url: URL, options: RequestOptions) => ClientRequest

async function starterFor(
  { protocol }: URL,
  { ca, proxy }: { ca: readonly string[] | undefined; proxy: EgressProxy | undefined },
): Promise<Start> {
  if (protocol === 'http:') {
    const { request } = await import('node:http')
    return (url, options) => request(url, { ...options, agent: false })
  }
  const { request } = await import('node:https')
  const agent = proxy ? await tunnelAgent(proxy) : false
  return (url, options) => request(url, { ...options, agent, ...(ca && { ca: [...ca] }) })
}

async function tunnelAgent({ url, authorization }: EgressProxy) {
  const { HttpsProxyAgent } = await import('https-proxy-agent')
  const agent = new HttpsProxyAgent(url.href, {
    ...(authorization !== undefined && { headers: { 'Proxy-Authorization': authorization } }),
  })
  // otherwise the proxy's refusal would be read as the reply of the host
  agent.on('proxyConnect', ({ statusCode }, request) => {
    if (statusCode !== 200) request.destroy(proxyRefusal(statusCode))
  })
  return agent
}

function exchange(
  { url, method, headers, body, socketPath }: HttpRequest,
  { signal, maxBytes, start }: SendOptions & { start: Start },
): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const request = start(url, {
      signal,
      ...(method !== undefined && { method }),
      ...(headers && { headers }),
      ...(socketPath !== undefined && { socketPath }),
    })
    request.on('error', reject)
    request.on('response', response => {
      readReply(response, maxBytes).then(resolve, cause => {
        request.destroy()
        reject(cause)
      })
    })
    request.end(body)
  })
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
