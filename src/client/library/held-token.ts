import { sha256Hex } from '../../lib/hash.ts'
import type { TokenReply } from '../token-reply.ts'
import type { Stopwatch } from './stopwatch.ts'
import { TokenError } from './token-error.ts'
import type { VendedToken } from './types.ts'

/** A token, and how far it is used up by this machine's clocks. */
export interface HeldToken {
  readonly token: VendedToken
  /** Whether it is time to ask for the next. */
  isDue(): boolean
  /** Whether a login with it can still be begun. */
  isUsable(): boolean
  /** How much of its life is left, in milliseconds; negative once it has ended. */
  leftMs(): number
  /** How much of its life is left at the moment from which the server has the next. */
  readonly spareMs: number
}

/** A login takes some time, and the database looks at the token at its end. */
const MIN_LEFT_MS = 5000
/** What a server promises of every token that it vends, should it not say more. */
const PROMISED_LIFE_MS = 5 * 60_000

/**
 * Returns the token of a reply that arrived when the stopwatch was started. How long it lasts is what the server said of it
 * then: neither clock has to be right. Throws TokenError if it is used up already.
 */
export function holdToken(reply: TokenReply, ageMs: Stopwatch): HeldToken {
  const { refreshAfter, expiresAt, expiresIn } = reply
  const lifeMs = lifeMsOf(reply)
  if (lifeMs <= MIN_LEFT_MS)
    throw new TokenError('the server sent a token that is about to end', { isTemporary: true })
  const spareMs =
    expiresIn === undefined || refreshAfter === undefined || expiresAt === undefined
      ? lifeMs / 2
      : Date.parse(expiresAt) - Date.parse(refreshAfter)
  const leftMs = () => lifeMs - ageMs()
  return {
    token: publicToken(reply),
    isDue: () => leftMs() <= spareMs,
    isUsable: () => leftMs() > MIN_LEFT_MS,
    leftMs,
    spareMs,
  }
}

/** Returns how long the token of a reply that has just arrived lasts, in milliseconds, by what the server said of it. */
export function lifeMsOf({ expiresIn }: TokenReply): number {
  return expiresIn === undefined ? PROMISED_LIFE_MS : expiresIn * 1000
}

function publicToken({ token, ...rest }: TokenReply): VendedToken {
  const shown = {
    ...rest,
    fingerprint: rest.fingerprint ?? sha256Hex(token),
    ca: Object.freeze({ ...rest.ca, pem: rest.ca?.pem ?? '' }),
  }
  return Object.freeze(Object.defineProperty({ ...shown, token }, 'token', { enumerable: false }))
}
