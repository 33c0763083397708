import type { CryptoKey, JWTHeaderParameters } from 'jose'
import { JetonError } from '../errors.ts'
import type { BackgroundTasks } from '../lib/background-tasks.ts'
import type { Clock } from '../lib/clock.ts'
import { type Fetch, fetchJson } from '../lib/fetch-json.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import { type Jwks, readJwks, readPinnedJwks } from './jwks.ts'
import { unauthenticated } from './unauthenticated.ts'

/** The keys that a JWT's header may mean (one or more), and the version of the set that they are from. */
export interface FoundKeys {
  readonly keys: readonly CryptoKey[]
  readonly version: number
}

/** The keys of one issuer. May be shared by all that trust this issuer, and outlive a reload of the configuration. */
export interface IssuerKeys {
  /**
   * The keys to try for a JWT with this header. Throws `unauthenticated` where none matches, and
   * `temporarily_unavailable` where the keys cannot be had.
   */
  resolve(header: JWTHeaderParameters): Promise<FoundKeys>
  /** Another one whenever the keys have changed; undefined while there are none to use. Reading it fetches nothing. */
  readonly version: number | undefined
}

/** Younger than this, a set is used as it is. */
const FRESH_MS = 5 * 60_000
/** Older than this, its refresh is waited for. */
const STALE_MS = 10 * 60_000
/** How long the last good keys serve while the issuer cannot be reached. */
const USABLE_MS = 24 * 3_600_000
/** Two requests, and their timeouts of 5 s each, with room to spare. */
const LONGEST_ATTEMPT_MS = 20_000
/** Between two attempts, whatever came of the first. */
const COOLDOWN_MS = 30_000

/**
 * Keys from a file: nothing is ever fetched. `jwks` is the parsed file; throws an Error with a message fit for a list of
 * problems where it is no key set, is empty or holds a private or symmetric key.
 */
export function pinKeys(jwks: unknown): IssuerKeys {
  const pinned = readPinnedJwks(jwks)
  return {
    version: 1,
    async resolve(header) {
      const keys = await pinned.matching(header)
      if (keys.length === 0) throw noKey()
      return { keys, version: 1 }
    },
  }
}

export interface DiscoverKeysOptions {
  /** The issuer's URL, exactly as its discovery document and its JWTs say it. */
  issuerUrl: string
  fetch: Fetch
  clock: Clock
  log: Log
  health: Health
  /** Told of the refreshes that nobody waits for. */
  backgroundTasks: Pick<BackgroundTasks, 'add'>
}

/**
 * Keys by OpenID Connect Discovery 1.0, 4. Fetched when first asked for, in one flight however many ask, with 30 s between
 * attempts after failures too (jose's own remote set cools down after successes alone). Refreshed beside from 5 minutes of
 * age on, awaited from 10; where that fails, the last good keys serve until 24 hours after the last success.
 * A header that matches no key refetches, within the same cooldown. No timers: a set that nobody asks for only ages, so
 * a key that the issuer withdrew may be believed for up to 10 minutes, and for 24 hours while the issuer is unreachable.
 */
export function discoverKeys(options: DiscoverKeysOptions): IssuerKeys {
  const { issuerUrl, fetch, clock, log, health, backgroundTasks } = options
  let good: { jwks: Jwks; version: number; at: number } | undefined
  let triedAt = Number.NEGATIVE_INFINITY
  let flight: Promise<void> | undefined
  let hasFailed = false

  /** False too for a moment ahead of the clock, which may be put back by minutes: then better ask again. */
  const isWithin = (ms: number, since: number) => clock.now() >= since && clock.now() < since + ms
  const usable = () => (good && clock.now() < good.at + USABLE_MS ? good : undefined)

  async function load(at: number): Promise<void> {
    try {
      const jwks = readJwks(await fetchKeys(issuerUrl, { fetch, clock }))
      const isSame = good?.jwks.text === jwks.text
      good = good && isSame ? { ...good, at } : { jwks, version: (good?.version ?? 0) + 1, at }
      hasFailed = false
      health.report('keys', { ok: true, of: issuerUrl })
      if (!isSame)
        log.info({ event: 'issuer_keys_changed', issuer: issuerUrl }, 'the keys of an issuer are new')
    } catch (cause) {
      // no attempt takes so long, unless the process was frozen meanwhile: then it says nothing of the issuer
      if (!isWithin(LONGEST_ATTEMPT_MS, at)) {
        triedAt = Number.NEGATIVE_INFINITY
        return
      }
      hasFailed = true
      health.report('keys', { ok: false, of: issuerUrl })
      const why = cause instanceof Error ? cause.message : 'failed'
      log.warn(
        { event: 'issuer_keys_unavailable', issuer: issuerUrl, why, goodKeys: usable() !== undefined },
        'the keys of an issuer cannot be had',
      )
    }
  }

  /** Never rejects. Gives at once where it cools down. */
  async function refresh(): Promise<void> {
    if (!flight && !isWithin(COOLDOWN_MS, triedAt)) {
      triedAt = clock.now()
      flight = load(triedAt).finally(() => {
        flight = undefined
      })
    }
    await flight
  }

  async function search(header: JWTHeaderParameters): Promise<FoundKeys | undefined> {
    const set = usable()
    if (!set) throw noKeys(issuerUrl, Math.max(0, triedAt + COOLDOWN_MS - clock.now()))
    const keys = await set.jwks.matching(header)
    return keys.length > 0 ? { keys, version: set.version } : undefined
  }

  return {
    get version() {
      return usable()?.version
    },
    async resolve(header) {
      if (!good || !isWithin(FRESH_MS, good.at)) {
        const refreshed = refresh()
        // while the issuer fails, the last good keys serve at once
        if (!usable() || (!isWithin(STALE_MS, good?.at ?? 0) && !hasFailed)) await refreshed
        else backgroundTasks.add(refreshed)
      }
      const found = await search(header)
      if (found) return found
      await refresh()
      const again = await search(header)
      if (!again) throw noKey()
      return again
    },
  }
}

/**
 * The issuer's key set by way of its discovery document. That document may name any https address for the keys, but
 * plain http (which is loopback) only where the issuer itself is there: else it could point a server at its own ports.
 */
async function fetchKeys(issuerUrl: string, options: { fetch: Fetch; clock: Clock }): Promise<unknown> {
  const base = issuerUrl.replace(/\/$/, '')
  const document = await fetchJson(`${base}/.well-known/openid-configuration`, options)
  if (document.issuer !== issuerUrl) throw new Error('the discovery document is of another issuer')
  const keysUrl = document.jwks_uri
  if (typeof keysUrl !== 'string') throw new Error('the discovery document has no jwks_uri')
  if (!/^https:/i.test(keysUrl) && /^https:/i.test(issuerUrl))
    throw new Error('the discovery document names a jwks_uri without https')
  return fetchJson(keysUrl, options)
}

function noKey(): JetonError {
  return unauthenticated('the JWT is signed with a key that its issuer does not publish')
}

function noKeys(issuerUrl: string, retryAfterMs: number): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'the keys of the issuer of the JWT cannot be reached at the moment',
    reason: `no usable keys of ${issuerUrl}`,
    retryAfterMs,
  })
}
