import { fetch, Pool, ProxyAgent, type RequestInfo, type RequestInit } from 'undici'
import type { EgressProxy } from './egress-proxies.ts'
import type { Fetch } from './fetch-json.ts'
import { markProxied, proxyRefusal } from './proxy-failure.ts'

/** Of undici's error for a proxy that opens no tunnel; nothing else of it tells the status. */
const REFUSAL = /^Proxy response \((\d{3})\)/

/**
 * Returns a `fetch` whose requests go through a tunnel of this proxy. Each step to a tunnel (the connection to the proxy, its
 * answer, TLS with the host) may take `stepTimeoutMs`. Its errors are those of `fetch`, marked by `markProxied`. Load this file
 * with `import()`: most starts need no proxy.
 */
export function createProxiedFetch(
  { url, name, authorization }: EgressProxy,
  { stepTimeoutMs }: { stepTimeoutMs: number },
): Fetch {
  const dispatcher = new ProxyAgent({
    uri: url.href,
    ...(authorization !== undefined && { token: authorization }),
    proxyTls: { timeout: stepTimeoutMs },
    requestTls: { timeout: stepTimeoutMs },
    // only this pool's requests are for the proxy itself: they open tunnels
    clientFactory: (proxy, options) => new Pool(proxy, { ...options, headersTimeout: stepTimeoutMs }),
  })

  async function proxiedFetch(target: RequestInfo, init?: RequestInit) {
    try {
      // not Node's own fetch, whose version of undici may not know this dispatcher
      return await fetch(target, { ...init, dispatcher })
    } catch (cause) {
      throw markProxied(withStatus(cause), name)
    }
  }

  return proxiedFetch as unknown as Fetch
}

/** Returns what says the proxy's status, if `fetch` failed because it opened no tunnel: undici buries that in causes. */
function withStatus(cause: unknown): unknown {
  for (let each = cause; each instanceof Error; each = each.cause) {
    const [, status] = REFUSAL.exec(each.message) ?? []
    if (status !== undefined) return proxyRefusal(Number(status))
  }
  return cause
}
