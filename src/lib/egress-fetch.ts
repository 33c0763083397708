import type { EgressProxy, FindProxy } from './egress-proxies.ts'
import type { Fetch } from './fetch-json.ts'
import { getOrCreate } from './maps.ts'
import { memoizeAsync } from './single-flight.ts'

/** Less than the 5 s of a request to an issuer: undici is up to a second late. */
const STEP_TIMEOUT_MS = 3500

export interface EgressFetchParts {
  fetch: Fetch
  findProxy: FindProxy
  /** The longest that each step to a tunnel may take: less than any request, so that its error names the proxy. Default: 3.5 s. */
  stepTimeoutMs?: number
}

/**
 * Returns a `fetch` whose requests go through the proxies that the environment names, or directly by the given one. What
 * proxies need loads with the first request that goes through one.
 */
export function createEgressFetch(parts: EgressFetchParts): Fetch {
  const { fetch, findProxy, stepTimeoutMs = STEP_TIMEOUT_MS } = parts
  const loaded = new Map<EgressProxy, () => Promise<Fetch>>()

  async function load(proxy: EgressProxy): Promise<Fetch> {
    const { createProxiedFetch } = await import('./proxied-fetch.ts')
    return createProxiedFetch(proxy, { stepTimeoutMs })
  }

  return async (target, init) => {
    const proxy = findProxy(new URL(target instanceof Request ? target.url : target))
    if (!proxy) return fetch(target, init)
    const proxiedFetch = await getOrCreate(loaded, {
      key: proxy,
      create: () => memoizeAsync(() => load(proxy)),
    })()
    return proxiedFetch(target, init)
  }
}
