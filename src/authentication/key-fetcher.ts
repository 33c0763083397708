import { backoffMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import type { Fetch } from '../lib/fetch-json.ts'
import { createQuota } from '../lib/quota.ts'
import { singleFlight } from '../lib/single-flight.ts'
import { messageOf } from '../lib/system-error.ts'
import { remainingMs, type TimeWindow } from '../lib/time-window.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import { fetchJwks } from './discovery.ts'
import { type Jwks, readJwks } from './jwks.ts'

/** Good keys of an issuer. */
export interface FetchedKeys {
  readonly jwks: Jwks
  /** Changes whenever the keys do. */
  readonly version: number
  /** When the fetch began that brought or confirmed them. */
  readonly fetchedAt: number
  /** The number of that fetch. */
  readonly fetch: number
}

/** Fetches the keys of one issuer, and remembers the last good ones. */
export interface KeyFetcher {
  /** Returns the last good keys, unless they are more than 24 hours old. */
  current(): FetchedKeys | undefined
  /**
   * Fetches the keys, or joins the fetch under way. Returns whether that succeeded; false at once if no fetch may begin.
   * Never rejects.
   */
  refresh(): Promise<boolean>
  /** Returns how long it is until a fetch may begin, in milliseconds. */
  waitMs(): number
  /** Returns how many fetches have begun. */
  begun(): number
  isUnderWay(): boolean
  /** Whether the last fetch failed. */
  isFailing(): boolean
  /** Returns when the fetch began that brought or confirmed the last good keys; undefined if there was none. */
  lastFetchedAt(): number | undefined
}

export interface KeyFetcherParts {
  /** The issuer's URL, exactly as its discovery document and its JWTs have it. */
  issuerUrl: string
  fetch: Fetch
  clock: Clock
  log: Log
  health: Health
}

/** How long the last good keys are used while the issuer cannot be reached. */
const USABLE_MS = 24 * 3_600_000
/** Two requests with their timeouts of 5 s each, and room to spare. */
const MAX_FETCH_MS = 20_000
/** Anybody can send a JWT with a key that does not exist, so fetches are bounded: 11 in the first minute, then 6 a minute. */
const FETCHES = { burst: 5, everyMs: 10_000 }
/** After fetches that fail. */
const FAILURE_BACKOFF = { firstMs: 2000, maxMs: 30_000 }

/** Returns a fetcher of keys by OpenID Connect Discovery 1.0, 4. It fetches nothing before it is asked to. */
export function createKeyFetcher({ issuerUrl, fetch, clock, log, health }: KeyFetcherParts): KeyFetcher {
  const quota = createQuota(FETCHES)
  let lastGood: FetchedKeys | undefined
  let begun = 0
  /** Since the last success. */
  let failures = 0
  let backoff: TimeWindow | undefined

  const current = () => (lastGood && clock.now() < lastGood.fetchedAt + USABLE_MS ? lastGood : undefined)
  const waitMs = () => Math.max(quota.waitMs(clock.now()), backoff ? remainingMs(backoff, clock.now()) : 0)

  const fetchNow = singleFlight(async () => {
    const startedAt = clock.now()
    const number = ++begun
    quota.take(startedAt)
    try {
      const jwks = readJwks(await fetchJwks(issuerUrl, { fetch, clock }))
      noteSuccess(jwks, { fetchedAt: startedAt, fetch: number })
      return true
    } catch (cause) {
      // a fetch takes so long only if the process was frozen meanwhile, and then it says nothing about the issuer
      const wasFrozen = remainingMs({ since: startedAt, forMs: MAX_FETCH_MS }, clock.now()) === 0
      if (wasFrozen) quota.giveBack()
      else noteFailure(cause)
      return false
    }
  })

  function noteSuccess(jwks: Jwks, fetched: Pick<FetchedKeys, 'fetchedAt' | 'fetch'>): void {
    failures = 0
    backoff = undefined
    health.report('keys', { ok: true, of: issuerUrl })
    if (lastGood?.jwks.canonicalText === jwks.canonicalText) {
      lastGood = { ...lastGood, ...fetched }
      return
    }
    lastGood = { jwks, version: (lastGood?.version ?? 0) + 1, ...fetched }
    log.info({ event: 'issuer_keys_changed', issuer: issuerUrl }, 'an issuer has published new keys')
  }

  function noteFailure(cause: unknown): void {
    backoff = { since: clock.now(), forMs: backoffMs(failures++, FAILURE_BACKOFF) }
    health.report('keys', { ok: false, of: issuerUrl })
    const goodKeys = current() !== undefined
    log.warn(
      { event: 'issuer_keys_unavailable', issuer: issuerUrl, why: messageOf(cause, 'failed'), goodKeys },
      goodKeys
        ? 'the keys of an issuer cannot be fetched: the last good ones stay in use until they are 24 hours old'
        : 'the keys of an issuer cannot be fetched: its JWTs are answered with 503',
    )
  }

  return {
    current,
    refresh: async () => (fetchNow.isUnderWay() || waitMs() === 0 ? fetchNow() : false),
    waitMs,
    begun: () => begun,
    isUnderWay: fetchNow.isUnderWay,
    isFailing: () => failures > 0,
    lastFetchedAt: () => lastGood?.fetchedAt,
  }
}
