import type { LiveToken, RateReading, Readings } from '../../../src/telemetry/readings.ts'
import { NO_READINGS } from './console.ts'

/** Returns the reading of a resource of the database `orders` at which nothing happens; members replace its own. */
export function rateReading(members: Partial<RateReading> = {}): RateReading {
  return {
    resource: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    databases: ['orders'],
    perSecond: 16,
    horizonMs: 5000,
    delivered: 0,
    deliveredBySecond: Array(300).fill(0),
    waiting: [],
    fleet: undefined,
    ...members,
  }
}

/** Returns a live token of the database `orders` that lives for another 10 minutes from `now`. */
export function liveToken(now: number, members: Partial<LiveToken> = {}): LiveToken {
  return {
    database: 'orders',
    user: 'app_ro',
    fingerprint: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/jeton-app_ro',
    issuedAt: now - 300_000,
    refreshAfter: now + 240_000,
    expiresAt: now + 600_000,
    isMintedHere: true,
    ...members,
  }
}

/** Returns the readings of an instance with these resources and tokens. */
export function readingsOf(rates: readonly RateReading[], tokens: readonly LiveToken[] = []): Readings {
  return { ...NO_READINGS, rates: () => rates, liveTokens: () => tokens }
}
