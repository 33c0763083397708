import type { DecodeContext } from '../src/cli/decode.ts'
import type { CallerContext } from '../src/cli/token-options.ts'
import { systemClock } from '../src/lib/clock.ts'
import { lazyOutput } from './process-output.ts'

/** Returns what callers' commands use of this process. What Node takes a while to open, it opens when it is used. */
export function createCallerContext(): CallerContext & Pick<DecodeContext, 'stdin'> {
  return {
    env: process.env,
    stdin: {
      [Symbol.asyncIterator]: () => process.stdin[Symbol.asyncIterator](),
      get isTTY() {
        return process.stdin.isTTY
      },
    },
    stdout: lazyOutput('stdout'),
    stderr: lazyOutput('stderr'),
    lookup: async host => (await import('node:dns/promises')).lookup(host),
    clock: systemClock(),
  }
}
