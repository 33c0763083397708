import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import { ipNetwork } from '../lib/ip-network.ts'
import { remainingMs, type TimeWindow } from '../lib/time-window.ts'

/** Further failures of one source within a window are answered with `rate_limited`. */
const MAX_FAILURES = 100
const WINDOW_MS = 60_000
const MAX_SOURCES = 20_000

/** Counts failures to authenticate by the address that they come from. */
export interface AuthFailureLimiter {
  /**
   * Counts one failure. Returns the ms until the limit resets, or undefined while under the limit. IPv6 addresses count by
   * their /64, because one host has all of it. Failures without an address count together.
   */
  count(address: string | undefined): number | undefined
}

/**
 * Returns a limiter of 100 failures a minute. A source's minute begins with its first failure. Only the 20,000 most recent
 * sources are remembered.
 */
export function createAuthFailureLimiter(clock: Clock): AuthFailureLimiter {
  // created with the first failure: the cache allocates memory for all of its entries at once
  let windows: LRUCache<string, TimeWindow & { failures: number }> | undefined

  return {
    count(address) {
      windows ??= new LRUCache({ max: MAX_SOURCES })
      const source = ipNetwork(address)
      const now = clock.now()
      let window = windows.get(source)
      if (!window || remainingMs(window, now) === 0) {
        window = { since: now, forMs: WINDOW_MS, failures: 0 }
        windows.set(source, window)
      }
      window.failures++
      return window.failures > MAX_FAILURES ? remainingMs(window, now) : undefined
    },
  }
}
