import { monotonicClock, systemClock } from '../../lib/clock.ts'
import { createTokensWith } from './tokens.ts'
import type { Tokens, TokensOptions } from './types.ts'

/**
 * Returns a source of tokens for one database user, to be shared: two sources ask twice. It asks for nothing before the first
 * call, and never keeps a process alive but for a question under way. Throws TypeError if `waitMs` is no time.
 */
export function createTokens(options: TokensOptions): Tokens {
  const parts = { env: process.env, clock: systemClock(), monotonic: monotonicClock() }
  return createTokensWith(options, parts)
}
