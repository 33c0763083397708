import type { CryptoKey, JWTHeaderParameters } from 'jose'
import { JetonError } from '../errors.ts'
import type { BackgroundTasks } from '../lib/background-tasks.ts'
import type { Clock } from '../lib/clock.ts'
import { type Fetch, fetchJson } from '../lib/fetch-json.ts'
import { singleFlight } from '../lib/single-flight.ts'
import { messageOf } from '../lib/system-error.ts'
import { remainingMs } from '../lib/time-window.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import { type Jwks, readJwks, readPinnedJwks } from './jwks.ts'
import { unauthenticated } from './unauthenticated.ts'

/** The keys that a JWT may be signed with (one or more), and the version of the set that they are from. */
export interface ResolvedKeys {
  readonly keys: readonly CryptoKey[]
  readonly version: number
}

/** The keys of one issuer. All policies that trust it may share them, and they may outlive a reload. */
export interface IssuerKeys {
  /**
   * Returns the keys to try for a JWT with this header. Throws `unauthenticated` if none matches, and
   * `temporarily_unavailable` if the issuer's keys cannot be fetched.
   */
  resolve(header: JWTHeaderParameters): Promise<ResolvedKeys>
  /** Changes whenever the keys do; undefined while there are none to use. Reading it fetches nothing. */
  readonly version: number | undefined
}

/** Keys younger than this are used without a refresh. */
const FRESH_MS = 5 * 60_000
/** Keys older than this are used only after a refresh. */
const STALE_MS = 10 * 60_000
/** How long the last good keys are used while the issuer cannot be reached. */
const USABLE_MS = 24 * 3_600_000
/** Two requests with their timeouts of 5 s each, and room to spare. */
const MAX_FETCH_MS = 20_000
/** The shortest time between the starts of two fetches, whether the first succeeded or not. */
const COOLDOWN_MS = 30_000

/**
 * Returns keys from a file, which are never fetched. `jwks` is the parsed file. Throws an Error if it is not a key set, is
 * empty or holds a private or symmetric key; its message goes into a list of configuration problems.
 */
export function pinKeys(jwks: unknown): IssuerKeys {
  const pinned = readPinnedJwks(jwks)
  return {
    version: 1,
    async resolve(header) {
      const keys = await pinned.findKeys(header)
      if (keys.length === 0) throw unpublishedKey()
      return { keys, version: 1 }
    },
  }
}

export interface DiscoverKeysParts {
  /** The issuer's URL, exactly as its discovery document and its JWTs have it. */
  issuerUrl: string
  fetch: Fetch
  clock: Clock
  log: Log
  health: Health
  /** Gets the refreshes that no request waits for. */
  backgroundTasks: Pick<BackgroundTasks, 'add'>
}

/**
 * Returns keys by OpenID Connect Discovery 1.0, 4. They are fetched on the first use, in one flight for all callers, with
 * 30 s between fetches after failures too (jose's remote set cools down after successes alone). A header that matches no
 * key fetches again, within the same cooldown. There are no timers, so unused keys are not refreshed: a withdrawn key may
 * be accepted for up to 10 minutes, and for 24 hours while the issuer is down.
 *
 *     age   0 ──────── 5 min ──────────────── 10 min ─────────────────────── 24 h ──────────────▶
 *           use        use, and refresh in    refresh, then use; while the   refresh, or else
 *                      the background         issuer fails, as before        temporarily_unavailable
 */
export function discoverKeys(parts: DiscoverKeysParts): IssuerKeys {
  const { issuerUrl, fetch, clock, log, health, backgroundTasks } = parts
  let lastGood: { jwks: Jwks; version: number; fetchedAt: number } | undefined
  let lastTriedAt = Number.NEGATIVE_INFINITY
  let isFailing = false

  /** Also false before `since`, which only a clock that was put back can be: then one fetch too many is safer. */
  const isWithin = (forMs: number, since: number) => remainingMs({ since, forMs }, clock.now()) > 0
  const usable = () => (lastGood && clock.now() < lastGood.fetchedAt + USABLE_MS ? lastGood : undefined)

  /** Never rejects. */
  const fetchNow = singleFlight(async () => {
    const startedAt = clock.now()
    lastTriedAt = startedAt
    try {
      const jwks = readJwks(await fetchJwks(issuerUrl, { fetch, clock }))
      const isSame = lastGood?.jwks.canonicalText === jwks.canonicalText
      const version = (lastGood?.version ?? 0) + 1
      lastGood =
        lastGood && isSame ? { ...lastGood, fetchedAt: startedAt } : { jwks, version, fetchedAt: startedAt }
      isFailing = false
      health.report('keys', { ok: true, of: issuerUrl })
      if (!isSame)
        log.info({ event: 'issuer_keys_changed', issuer: issuerUrl }, 'an issuer has published new keys')
    } catch (cause) {
      // a fetch takes so long only if the process was frozen meanwhile, and then it says nothing about the issuer
      if (isWithin(MAX_FETCH_MS, startedAt)) reportFailure(cause)
      else lastTriedAt = Number.NEGATIVE_INFINITY
    }
  })

  function reportFailure(cause: unknown): void {
    isFailing = true
    health.report('keys', { ok: false, of: issuerUrl })
    const goodKeys = usable() !== undefined
    log.warn(
      { event: 'issuer_keys_unavailable', issuer: issuerUrl, why: messageOf(cause, 'failed'), goodKeys },
      goodKeys
        ? 'the keys of an issuer cannot be fetched: the last good ones stay in use until they are 24 hours old'
        : 'the keys of an issuer cannot be fetched: its JWTs are answered with 503',
    )
  }

  /** Never rejects. Returns at once during the cooldown. */
  async function refresh(): Promise<void> {
    if (fetchNow.isUnderWay() || !isWithin(COOLDOWN_MS, lastTriedAt)) await fetchNow()
  }

  async function findKeys(header: JWTHeaderParameters): Promise<ResolvedKeys | undefined> {
    const current = usable()
    if (!current) throw noUsableKeys(issuerUrl, Math.max(0, lastTriedAt + COOLDOWN_MS - clock.now()))
    const keys = await current.jwks.findKeys(header)
    return keys.length > 0 ? { keys, version: current.version } : undefined
  }

  return {
    get version() {
      return usable()?.version
    },
    async resolve(header) {
      if (!lastGood || !isWithin(FRESH_MS, lastGood.fetchedAt)) {
        const refreshed = refresh()
        const isStale = !isWithin(STALE_MS, lastGood?.fetchedAt ?? 0)
        if (!usable() || (isStale && !isFailing)) await refreshed
        else backgroundTasks.add(refreshed)
      }
      const resolved = await findKeys(header)
      if (resolved) return resolved
      await refresh()
      const refetched = await findKeys(header)
      if (!refetched) throw unpublishedKey()
      return refetched
    },
  }
}

/**
 * Returns the issuer's key set by way of its discovery document. That may name any https address for the keys, but plain
 * http (loopback alone) only if the issuer itself has it: it could otherwise point a server at the server's own ports.
 */
async function fetchJwks(issuerUrl: string, options: { fetch: Fetch; clock: Clock }): Promise<unknown> {
  const base = issuerUrl.replace(/\/$/, '')
  const document = await fetchJson(`${base}/.well-known/openid-configuration`, options)
  if (document.issuer !== issuerUrl) throw new Error('the discovery document names another issuer')
  const jwksUri = document.jwks_uri
  if (typeof jwksUri !== 'string') throw new Error('the discovery document has no jwks_uri')
  if (!/^https:/i.test(jwksUri) && /^https:/i.test(issuerUrl))
    throw new Error('the discovery document names a jwks_uri without https')
  return fetchJson(jwksUri, options)
}

function unpublishedKey(): JetonError {
  return unauthenticated('the JWT is signed with a key that its issuer does not publish')
}

function noUsableKeys(issuerUrl: string, retryAfterMs: number): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: "the keys of the JWT's issuer cannot be fetched at the moment",
    reason: `the keys of ${issuerUrl} cannot be fetched, and none are left from before`,
    retryAfterMs,
  })
}
