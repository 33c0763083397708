import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler'
import { HttpsProxyAgent } from 'https-proxy-agent'
import type { EgressProxy, FindProxy } from '../lib/egress-proxies.ts'
import { getOrCreate } from '../lib/maps.ts'
import { markProxied, proxyRefusal, proxyTimeout } from '../lib/proxy-failure.ts'

type Handle = NodeHttpHandler['handle']
type Request = Parameters<Handle>[0]

/** As many connections as the SDK allows itself. */
const MAX_SOCKETS = 50

/** As the SDK's own handler takes them; each step to a tunnel may take `connectionTimeout`. */
export interface HandlerTimeouts extends NodeHttpHandlerOptions {
  readonly connectionTimeout: number
}

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
export function createProxiedHandler(timeouts: HandlerTimeouts, findProxy: FindProxy): ProxiedHandler {
  const direct = new NodeHttpHandler(timeouts)
  const ways = new Map<EgressProxy, ProxiedHandler>()

  function wayThrough(proxy: EgressProxy): ProxiedHandler {
    const tunnel = new NodeHttpHandler({ ...timeouts, httpsAgent: createTunnelAgent(proxy, timeouts) })
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

/**
 * Returns an agent that keeps tunnels. It counts those that are being opened among its sockets and cannot give them up, so
 * without a limit a proxy that says nothing would use all of them up for good.
 */
function createTunnelAgent(
  proxy: EgressProxy,
  { connectionTimeout }: HandlerTimeouts,
): HttpsProxyAgent<string> {
  const agent = new HttpsProxyAgent(proxy.url.href, { keepAlive: true, maxSockets: MAX_SOCKETS })
  agent.connect = async (request, options) => {
    const giveUp = new AbortController()
    const timer = setTimeout(() => giveUp.abort(), connectionTimeout)
    try {
      return await createOpener(proxy, giveUp.signal).connect(request, options)
    } catch (cause) {
      throw giveUp.signal.aborted ? proxyTimeout() : withCode(cause)
    } finally {
      clearTimeout(timer)
    }
  }
  return agent
}

/** Returns what opens one tunnel, unless the signal aborts before. */
function createOpener({ url, authorization }: EgressProxy, signal: AbortSignal): HttpsProxyAgent<string> {
  const opener = new HttpsProxyAgent(url.href, {
    keepAlive: true,
    signal,
    ...(authorization !== undefined && { headers: { 'Proxy-Authorization': authorization } }),
  })
  // otherwise the proxy's refusal would be read as the reply of AWS, and 403 as a role that AWS refuses
  opener.on('proxyConnect', ({ statusCode }, request) => {
    if (statusCode !== 200) request.destroy(proxyRefusal(statusCode))
  })
  return opener
}

/** The library's errors for a proxy that hangs up have no code, so that the SDK would not try again. */
function withCode(cause: unknown): unknown {
  return cause instanceof Error && !('code' in cause) ? Object.assign(cause, { code: 'ECONNRESET' }) : cause
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
