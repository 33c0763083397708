import type { Clock } from '../lib/clock.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import { describeAwsError, type RegionalClient } from './errors.ts'

const LOOK_AGAIN_MS = 5000
const LOG_AGAIN_MS = 60_000

/** Whose credentials jeton has, as STS tells. */
export interface CallerIdentity {
  readonly account: string
  readonly arn: string
}

/** What the AWS SDK finds in its environment for jeton itself. */
export interface OwnAccess extends RegionalClient {
  /** Undefined if the environment names none. */
  readonly environmentRegion: string | undefined
  /** Returns undefined if the SDK finds credentials within 12 s, or else why not and what to do: one line without a secret. */
  whyNoCredentials(): Promise<string | undefined>
  /** Calls STS, which needs no permission for it. Rejects with the SDK's errors. */
  getCallerIdentity(abortSignal: AbortSignal): Promise<CallerIdentity>
}

export interface WatchParts {
  /** Called for each look: returns the same one each time, so that no two searches run at once. */
  openAccess(): Promise<Pick<OwnAccess, 'environmentRegion' | 'whyNoCredentials'>>
  clock: Clock
  health: Health
  log: Log
}

/**
 * Looks for jeton's own credentials every 5 s until there are some: they may come later than jeton itself. Until then it
 * says so each minute, and `sts` is degraded. Also says if no region is named. Calls no service but those that the SDK asks
 * for credentials. Returns at once, with a function that ends it.
 */
export function watchOwnAccess({ openAccess, clock, health, log }: WatchParts): () => void {
  const stop = new AbortController()
  const of = 'own credentials'

  async function findOnce(): Promise<string | undefined> {
    try {
      const access = await openAccess()
      return await access.whyNoCredentials()
    } catch (cause) {
      return describeAwsError(cause)
    }
  }

  async function sayRegion(): Promise<void> {
    const { environmentRegion } = await openAccess()
    if (environmentRegion === undefined) log.info({ event: 'aws_region_unset' }, REGION_UNSET)
  }

  async function watch(): Promise<void> {
    await sayRegion()
    let loggedAt: number | undefined
    for (;;) {
      const reason = await findOnce()
      if (stop.signal.aborted) return
      health.report('sts', { ok: reason === undefined, of })
      if (reason === undefined) {
        if (loggedAt !== undefined) log.info({ event: 'aws_credentials_found' }, FOUND)
        return
      }
      const now = clock.now()
      if (loggedAt === undefined || Math.abs(now - loggedAt) >= LOG_AGAIN_MS) {
        log.warn({ event: 'aws_credentials_missing', reason }, MISSING)
        loggedAt = now
      }
      await clock.sleep(LOOK_AGAIN_MS, stop.signal)
    }
  }

  watch().catch(() => {})
  return () => stop.abort()
}

const REGION_UNSET =
  "the environment names no AWS region: STS is called in each database's own, and tables are where the configuration says; set AWS_REGION if that is not meant"
const MISSING =
  'jeton finds no AWS credentials of its own, so it can vend nothing new, for the reason given here; it goes on and looks again'
const FOUND = 'jeton has found AWS credentials of its own'
