import { parseArgs } from 'node:util'
import type { TokenArguments } from '../src/cli/token.ts'

/** The options of `jeton token`, as caller-commands.ts describes them. */
export const TOKEN_OPTIONS = {
  user: { type: 'string' },
  url: { type: 'string' },
  jwt: { type: 'string' },
  wait: { type: 'string' },
  output: { type: 'string', short: 'o' },
  ca: { type: 'string' },
  'ca-file': { type: 'string' },
  'server-ca': { type: 'string' },
} as const

/**
 * Returns the arguments of a plain call of `jeton token`, which is the one that is made most, without loading commander: that
 * takes as long as all else that the command does before its request. Undefined for every other command line, and for one
 * with a mistake, which is left to commander to explain.
 */
export function parseTokenCall(argv: readonly string[]): TokenArguments | undefined {
  const [, , name, ...args] = argv
  if (name !== 'token') return undefined
  try {
    const { values, positionals } = parseArgs({ args, options: TOKEN_OPTIONS, allowPositionals: true })
    const [database, ...others] = positionals
    if (database === undefined || others.length > 0) return undefined
    const { 'ca-file': caFile, 'server-ca': serverCa, ...options } = values
    return { ...options, caFile, serverCa, database }
  } catch {
    return undefined
  }
}
