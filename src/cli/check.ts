import { loadConfig } from '../config/load.ts'
import { ConfigError, describeProblem } from '../config/problems.ts'
import { countText } from '../lib/printable.ts'
import type { CommandOutput } from './streams.ts'

/**
 * `jeton check`: prints what a sound configuration has on stdout and what is doubtful in it on stderr, or every problem of a
 * broken one on stderr, a line each. Returns the exit code: 0, or 1 if there are problems.
 */
export async function checkCommand(path: string, { stdout, stderr }: CommandOutput): Promise<0 | 1> {
  try {
    const config = await loadConfig(path)
    const { databases, issuers, apiKeys, grants } = config
    const counts = [
      countText(databases.length, 'database'),
      countText(issuers.length, 'issuer'),
      countText(Object.keys(apiKeys).length, 'API key'),
      countText(grants.length, 'grant'),
    ]
    for (const warning of config.warnings ?? []) stderr.write(`warning: ${describeProblem(warning)}\n`)
    stdout.write(`ok: ${counts.join(', ')}\n`)
    return 0
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    for (const problem of cause.problems) stderr.write(`${describeProblem(problem)}\n`)
    return 1
  }
}
