import type { Clock } from '../../lib/clock.ts'
import { createAsk, type ServerParts } from './ask-server.ts'
import { isLoginRefused } from './login-refused.ts'
import { mariadbOptions } from './mariadb-options.ts'
import { mysql2Options } from './mysql2-options.ts'
import { pgOptions } from './pg-options.ts'
import { createStopwatches } from './stopwatch.ts'
import { createTokenSource } from './token-source.ts'
import type { CallOptions, Tokens, TokensOptions, VendedToken } from './types.ts'

const DEFAULT_WAIT_MS = 10_000

export interface TokensParts extends ServerParts {
  /** Returns the time that passes, which nobody sets. */
  monotonic: Pick<Clock, 'now'>
}

/** Returns the same as `createTokens`, with other clocks, environment or network. Throws TypeError if `waitMs` is no time. */
export function createTokensWith(options: TokensOptions, { monotonic, ...parts }: TokensParts): Tokens {
  const { waitMs = DEFAULT_WAIT_MS } = options
  // what is no number, as of a variable that is not set, would be waited for without an end
  if (!Number.isFinite(waitMs) || waitMs < 0)
    throw new TypeError('waitMs of createTokens is not a number of milliseconds')
  const { clock } = parts
  const source = createTokenSource({
    ask: createAsk(options, parts),
    clock,
    startStopwatch: createStopwatches({ wall: clock, monotonic }),
    waitMs,
  })

  async function logIn<T>(run: (token: VendedToken) => Promise<T>, call?: CallOptions): Promise<T> {
    const token = await source.get(call)
    try {
      return await run(token)
    } catch (cause) {
      if (!isLoginRefused(cause)) throw cause
      // without another token, what the database said tells more
      const other = await source.refused(token, call).catch(() => token)
      if (other.fingerprint === token.fingerprint) throw cause
      return run(other)
    }
  }

  return {
    get: source.get,
    password: async call => (await source.get(call)).token,
    refused: source.refused,
    logIn,
    onLoginError(error) {
      if (isLoginRefused(error)) source.noteCurrentRefused()
    },
    pg: () => pgOptions(source, waitMs),
    mysql2: () => mysql2Options(source, waitMs),
    mariadb: () => mariadbOptions(source, waitMs),
  }
}
