import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import { ipNetwork } from '../lib/ip-network.ts'

/** So many failures to authenticate of one source are answered as such in each window. */
const MOST = 100
const WINDOW_MS = 60_000
const MOST_SOURCES = 20_000

/** Failures to authenticate, by where they come from. */
export interface AuthFailureLimiter {
  /**
   * Counts one from an address, IPv6 ones by their /64, which one host has all of. Gives how long there will have been too
   * many (ms), or undefined where there are not. A connection that was reset has no address any more.
   */
  count(address: string | undefined): number | undefined
}

/** A window begins with a source's first failure. Of the sources, 20,000 are remembered; those not heard of longest go. */
export function createAuthFailureLimiter(clock: Clock): AuthFailureLimiter {
  /** Not before the first: it takes its whole room at once. */
  let windows: LRUCache<string, { since: number; failures: number }> | undefined

  return {
    count(address) {
      windows ??= new LRUCache({ max: MOST_SOURCES })
      const source = ipNetwork(address ?? 'reset')
      const now = clock.now()
      const known = windows.get(source)
      // the clock may have been put back
      const isOpen = known !== undefined && now >= known.since && now < known.since + WINDOW_MS
      const window = isOpen ? known : { since: now, failures: 0 }
      if (!isOpen) windows.set(source, window)
      window.failures++
      return window.failures > MOST ? window.since + WINDOW_MS - now : undefined
    },
  }
}
