import type { EgressProxy, FindProxy } from './egress-proxies.ts'
import type { Fetch } from './fetch-json.ts'
import { getOrCreate } from './maps.ts'
import { memoizeAsync } from './single-flight.ts'

/**
 * Returns a `fetch` whose requests go through the proxies that the environment names, or directly by the given one. What
 * proxies need loads with the first request that goes through one.
 */
export function createEgressFetch({ fetch, findProxy }: { fetch: Fetch; findProxy: FindProxy }): Fetch {
  const loaded = new Map<EgressProxy, () => Promise<Fetch>>()

  async function load(proxy: EgressProxy): Promise<Fetch> {
    const { createProxiedFetch } = await import('./proxied-fetch.ts')
    return createProxiedFetch(proxy)
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
