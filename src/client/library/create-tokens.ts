import { monotonicClock, systemClock } from '../../lib/clock.ts'
import { createTokensWith } from './tokens.ts'
import type { Tokens, TokensOptions } from './types.ts'

/**
 * Returns a source of tokens for one database user. It asks for nothing before the first call, and never keeps a process alive
 * but for a call that waits.
 */
export function createTokens(options: TokensOptions): Tokens {
  const parts = { env: process.env, clock: systemClock(), monotonic: monotonicClock() }
  return createTokensWith(options, parts)
}
