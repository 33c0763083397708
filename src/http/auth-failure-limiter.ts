import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import { ipNetwork } from '../lib/ip-network.ts'
import { remainingMs, type TimeWindow } from '../lib/time-window.ts'

/** Failures of one source within a window that are still answered as what they are. */
const MAX_FAILURES = 100
const WINDOW_MS = 60_000
const MAX_SOURCES = 20_000

/** Counts failures to authenticate by the address that they come from. */
export interface AuthFailureLimiter {
  /**
   * Counts one failure. Returns the ms until the limit resets, or undefined while under the limit. IPv6 addresses count by
   * their /64, for one host has all of it; connections that were reset have no address any more and count together.
   */
  count(address: string | undefined): number | undefined
}

/** A source's window of one minute begins with its first failure. It remembers 20,000 sources and forgets the least recent. */
export function createAuthFailureLimiter(clock: Clock): AuthFailureLimiter {
  // created with the first failure: the cache allocates memory for all of its entries at once
  let windows: LRUCache<string, TimeWindow & { failures: number }> | undefined

  return {
    count(address) {
      windows ??= new LRUCache({ max: MAX_SOURCES })
      const source = ipNetwork(address ?? 'reset')
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
