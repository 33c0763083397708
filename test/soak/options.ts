import { parseArgs } from 'node:util'

export interface SoakOptions {
  /** How long callers ask, without start and end. */
  seconds: number
  /** Decides the order and the lengths of the disturbances; the machine decides the rest. */
  seed: string
  /** Whether the figures go into docs/operations.md. */
  writes: boolean
}

const DEFAULT_SECONDS = 600
const LONG_SECONDS = 3600

/** Returns the options of `npm run soak`: 10 minutes, an hour with `--long`, or `--seconds N`. Throws for unknown ones. */
export function parseOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      long: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      seed: { type: 'string', default: 'jeton' },
      write: { type: 'boolean', default: false },
    },
  })
  const seconds = Number(values.seconds ?? (values.long ? LONG_SECONDS : DEFAULT_SECONDS))
  if (!(Number.isInteger(seconds) && seconds > 0)) throw new Error('--seconds needs a whole number above 0')
  return { seconds, seed: values.seed, writes: values.write }
}
