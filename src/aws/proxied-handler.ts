import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler'
import { HttpsProxyAgent } from 'https-proxy-agent'
import type { EgressProxy, FindProxy } from '../lib/egress-proxies.ts'
import { getOrCreate } from '../lib/maps.ts'
import { markProxied, proxyRefusal } from '../lib/proxy-failure.ts'

type Handle = NodeHttpHandler['handle']
type Request = Parameters<Handle>[0]

/** As many connections as the SDK allows itself. */
const MAX_SOCKETS = 50

/** What sends the requests of an SDK client. */
export interface ProxiedHandler {
  readonly handle: Handle
  /** Closes the connections. */
  destroy(): void
}

/**
 * Returns a handler that sends requests through the proxy that `findProxy` names, if any: those to https through a tunnel of
 * it, those to http in absolute form (RFC 9112, 3.2.2). Errors of requests that go through a proxy are marked by
 * `markProxied`, and a proxy that opens no tunnel is an error, never a reply of AWS. Load this file with `import()`.
 */
export function createProxiedHandler(timeouts: NodeHttpHandlerOptions, findProxy: FindProxy): ProxiedHandler {
  const direct = new NodeHttpHandler(timeouts)
  const ways = new Map<EgressProxy, ProxiedHandler>()

  function wayThrough(proxy: EgressProxy): ProxiedHandler {
    const tunnel = new NodeHttpHandler({ ...timeouts, httpsAgent: createTunnelAgent(proxy) })
    return {
      async handle(request, options) {
        if (request.protocol === 'https:') return tunnel.handle(request, options)
        const reply = await direct.handle(inAbsoluteForm(request, proxy), options)
        // no service of AWS answers so
        if (reply.response.statusCode === 407) throw proxyRefusal(407)
        return reply
      },
      destroy: () => tunnel.destroy(),
    }
  }

  return {
    async handle(request, options) {
      const proxy = findProxy(new URL(originOf(request)))
      if (!proxy) return direct.handle(request, options)
      const way = getOrCreate(ways, { key: proxy, create: () => wayThrough(proxy) })
      return way.handle(request, options).catch((cause: unknown) => {
        throw markProxied(cause, proxy.name)
      })
    },
    destroy() {
      for (const handler of [direct, ...ways.values()]) handler.destroy()
    },
  }
}

function createTunnelAgent({ url, authorization }: EgressProxy): HttpsProxyAgent<string> {
  const agent = new HttpsProxyAgent(url.href, {
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    ...(authorization !== undefined && { headers: { 'Proxy-Authorization': authorization } }),
  })
  // otherwise the proxy's refusal would be read as the reply of AWS, and 403 as a role that AWS refuses
  agent.on('proxyConnect', ({ statusCode }, request) => {
    if (statusCode !== 200) request.destroy(proxyRefusal(statusCode))
  })
  return agent
}

function inAbsoluteForm(request: Request, { url, authorization }: EgressProxy): Request {
  const { protocol, hostname, port } = url
  return Object.assign(request.clone(), {
    protocol,
    hostname,
    port: port === '' ? undefined : Number(port),
    path: `${originOf(request)}${request.path}`,
    headers: {
      ...request.headers,
      ...(authorization !== undefined && { 'proxy-authorization': authorization }),
    },
  })
}

function originOf({ protocol, hostname, port }: Request): string {
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`
}
