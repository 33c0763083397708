import type { CryptoKey, JWTHeaderParameters } from 'jose'
import { JetonError } from '../errors.ts'
import type { BackgroundTasks } from '../lib/background-tasks.ts'
import { createQuota } from '../lib/quota.ts'
import { remainingMs } from '../lib/time-window.ts'
import type { IssuerKeysReading } from '../telemetry/readings.ts'
import { readPinnedJwks } from './jwks.ts'
import { createKeyFetcher, type KeyFetcherParts } from './key-fetcher.ts'
import { unauthenticated } from './unauthenticated.ts'

/** The keys that a JWT may be signed with (one or more), and the version of the set that they are from. */
export interface ResolvedKeys {
  readonly keys: readonly CryptoKey[]
  readonly version: number
  /**
   * Returns newer keys, if none of these has signed the JWT: some issuers give a new key the `kid` of an old one. Returns
   * undefined if there are none, or if it is too soon to ask the issuer again.
   */
  next(): Promise<ResolvedKeys | undefined>
}

/** The keys of one issuer. All policies that trust it may share them, and they may outlive a reload. */
export interface IssuerKeys {
  /**
   * Returns the keys to try for a JWT with this header. Throws `unauthenticated` if a set that was fetched after the JWT had
   * arrived has none, and `temporarily_unavailable` while that is not known, or if the keys cannot be fetched.
   */
  resolve(header: JWTHeaderParameters): Promise<ResolvedKeys>
  /** Changes whenever the keys do; undefined while there are none to use. Reading it fetches nothing. */
  readonly version: number | undefined
}

/** The same, with what an operator may see of them. */
export interface ReadableIssuerKeys extends IssuerKeys {
  /** Returns what the keys in use are called, and how old they are. Reading it fetches nothing. */
  reading(): Omit<IssuerKeysReading, 'issuer' | 'url'>
}

/** Keys younger than this are used without a refresh. */
const FRESH_MS = 5 * 60_000
/** Keys older than this are used only after a refresh. */
const STALE_MS = 10 * 60_000
/** How often a signature that no known key has made fetches again: forged ones must not use up what unknown keys need. */
const RECHECKS = { burst: 2, everyMs: 30_000 }

/**
 * Returns keys from a file, which are never fetched. `jwks` is the parsed file. Throws an Error if it is not a key set, is
 * empty or holds a private or symmetric key; its message goes into a list of configuration problems.
 */
export function pinKeys(jwks: unknown): ReadableIssuerKeys {
  const pinned = readPinnedJwks(jwks)
  return {
    version: 1,
    reading: () => ({ isPinned: true, isFailing: false, fetchedAt: undefined, keys: pinned.describe() }),
    async resolve(header) {
      const keys = await pinned.findKeys(header)
      if (keys.length === 0) throw unpublishedKey()
      return { keys, version: 1, next: async () => undefined }
    },
  }
}

export interface DiscoverKeysParts extends KeyFetcherParts {
  /** Gets the refreshes that no request waits for. */
  backgroundTasks: Pick<BackgroundTasks, 'add'>
}

/**
 * Returns keys by OpenID Connect Discovery 1.0, 4. They are fetched on the first use, in one flight for all callers. A JWT
 * whose key is not among them fetches again, within a quota for all callers, since the issuer may have a new one. There
 * are no timers, so unused keys are not refreshed: a withdrawn key may be accepted for up to 10 minutes, or for 24 hours:
 *
 *     age   0 ──────── 5 min ──────────────── 10 min ─────────────────────── 24 h ──────────────▶
 *           use        use, and refresh in    refresh, then use; while the   refresh, or else
 *                      the background         issuer fails, as before        temporarily_unavailable
 */
export function discoverKeys(parts: DiscoverKeysParts): ReadableIssuerKeys {
  const { issuerUrl, clock, backgroundTasks } = parts
  const fetcher = createKeyFetcher(parts)
  const rechecks = createQuota(RECHECKS)

  /** False if a clock that was put back makes the keys seem to be of the future: then one fetch too many is safer. */
  const isYounger = (than: number, fetchedAt: number) =>
    remainingMs({ since: fetchedAt, forMs: than }, clock.now()) > 0

  async function refreshIfOld(): Promise<void> {
    const current = fetcher.current()
    if (!current) return void (await fetcher.refresh())
    if (isYounger(FRESH_MS, current.fetchedAt)) return
    const isStale = !isYounger(STALE_MS, current.fetchedAt)
    const wasFailing = fetcher.isFailing()
    const refreshed = fetcher.refresh()
    if (isStale && !wasFailing) await refreshed
    else backgroundTasks.add(refreshed)
  }

  /** Looks among the current keys, then among newer ones. Returns undefined if keys that came after the JWT have none. */
  async function findKeys(
    header: JWTHeaderParameters,
    { begunBefore }: { begunBefore: number },
  ): Promise<ResolvedKeys | undefined> {
    for (;;) {
      const current = fetcher.current()
      if (!current) throw noUsableKeys(issuerUrl, fetcher.waitMs())
      const { version, fetch } = current
      const keys = await current.jwks.findKeys(header)
      const isNew = fetch > begunBefore
      const next = async () => (isNew ? undefined : findNewerKeys(header, version))
      if (keys.length > 0) return { keys, version, next }
      if (isNew) return undefined
      if (!(await fetcher.refresh())) throw unknownKey(issuerUrl, fetcher.waitMs())
    }
  }

  async function findNewerKeys(
    header: JWTHeaderParameters,
    triedVersion: number,
  ): Promise<ResolvedKeys | undefined> {
    const isTried = () => fetcher.current()?.version === triedVersion
    // what others have fetched, or are about to, is free
    if (isTried() && (fetcher.isUnderWay() || rechecks.take(clock.now()))) await fetcher.refresh()
    const newer = fetcher.current()
    if (!newer || isTried()) return undefined
    const keys = await newer.jwks.findKeys(header)
    return keys.length > 0 ? { keys, version: newer.version, next: async () => undefined } : undefined
  }

  return {
    get version() {
      return fetcher.current()?.version
    },
    reading: () => ({
      isPinned: false,
      isFailing: fetcher.isFailing(),
      fetchedAt: fetcher.lastFetchedAt(),
      keys: fetcher.current()?.jwks.describe() ?? [],
    }),
    async resolve(header) {
      const begunBefore = fetcher.begun()
      await refreshIfOld()
      const resolved = await findKeys(header, { begunBefore })
      if (!resolved) throw unpublishedKey()
      return resolved
    },
  }
}

function unpublishedKey(): JetonError {
  return unauthenticated('the JWT is signed with a key that its issuer does not publish')
}

function unknownKey(issuerUrl: string, retryAfterMs: number): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'it is not known yet whether the issuer has published the key of this JWT',
    reason: `none of the known keys of ${issuerUrl} has signed this JWT, and they cannot be fetched again yet`,
    retryAfterMs,
  })
}

function noUsableKeys(issuerUrl: string, retryAfterMs: number): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: "the keys of the JWT's issuer cannot be fetched at the moment",
    reason: `the keys of ${issuerUrl} cannot be fetched, and none are left from before`,
    retryAfterMs,
  })
}
