import { backoffMs, jitteredMs } from '../../../lib/backoff.ts'
import type { Clock } from '../../../lib/clock.ts'
import { withTimeout } from '../../../lib/deadline.ts'
import { untilAborted } from '../../../lib/until-aborted.ts'
import { createRest } from '../../library/rest.ts'
import type { Stopwatch } from '../../library/stopwatch.ts'
import type { TokenSource } from '../../library/token-source.ts'
import type { VendedToken } from '../../library/types.ts'
import { isLoginThrottled, isTokenRefused } from '../../login-probe/find-refusal.ts'
import { WireError } from '../../wire/wire-error.ts'
import type { ProtocolParts } from '../protocol.ts'
import { createLoginQueue } from './login-queue.ts'

export interface LoginRetryParts {
  source: Pick<TokenSource, 'get' | 'refused'>
  clock: Pick<Clock, 'sleep'>
  startStopwatch(): Stopwatch
  random: () => number
  /** For how long a login waits while RDS throttles. */
  waitMs: number
  /** Called when the database refused a token that was not reported before. */
  onTokenRefused(token: VendedToken): void
}

/** Of TLS and the login itself, each time that it is tried. */
const MAX_ATTEMPT_MS = 20_000
/** Of thousands at once, all would take too long, and come again: a handshake of TLS is work. */
const MAX_AT_ONCE = 100
/** A database that refuses what it was just given refuses the next, too: jeton paces new tokens, which others want. */
const REFUSAL_REST_MS = 60_000
const BACKOFF = { firstMs: 500, maxMs: 4000 }
const JITTER = { low: 0.5, high: 1 }

/** Returns `ProtocolParts.logIn` for one database. */
export function createLogIn(parts: LoginRetryParts): ProtocolParts['logIn'] {
  const { source, clock, startStopwatch, random, waitMs } = parts
  const inQueue = createLoginQueue(MAX_AT_ONCE)
  /** Until when refused tokens are not reported. */
  let rest = createRest(0, startStopwatch)

  /** Returns a token in the place of a refused one; undefined if there is no other. */
  async function replace(token: VendedToken, signal: AbortSignal): Promise<VendedToken | undefined> {
    // somebody may have another by now
    const current = await source.get({ signal })
    if (current.fingerprint !== token.fingerprint) return current
    if (!rest.isOver()) return undefined
    parts.onTokenRefused(token)
    const other = await source.refused(token, { signal }).catch(() => {
      signal.throwIfAborted()
      // what the database said tells more
      return token
    })
    return other.fingerprint === token.fingerprint ? undefined : other
  }

  return async (attempt, signal) => {
    const ageMs = startStopwatch()
    let token = await source.get({ signal })
    let isReplaced = false
    for (let retries = 0; ; retries++)
      try {
        return await inQueue(() => tryOnce(() => attempt(token), { clock, signal }), signal)
      } catch (cause) {
        signal.throwIfAborted()
        if (!(cause instanceof WireError)) throw cause
        const delayMs = jitteredMs(backoffMs(retries, BACKOFF), { ...JITTER, random: random() })
        if (isLoginThrottled(cause) && ageMs() + delayMs <= waitMs) await clock.sleep(delayMs, signal)
        else if (isTokenRefused(cause)) {
          if (isReplaced) rest = createRest(REFUSAL_REST_MS, startStopwatch)
          const other = isReplaced ? undefined : await replace(token, signal)
          if (other === undefined) throw cause
          isReplaced = true
          token = other
        } else throw cause
      }
  }
}

function tryOnce<T>(
  attempt: () => Promise<T>,
  { clock, signal }: { clock: Pick<Clock, 'sleep'>; signal: AbortSignal },
): Promise<T> {
  const timedOut = () =>
    new WireError(`the database did not finish a login within ${MAX_ATTEMPT_MS / 1000} s`, {
      failure: 'timeout',
    })
  return withTimeout(() => untilAborted(attempt(), signal), { clock, timeoutMs: MAX_ATTEMPT_MS, timedOut })
}
