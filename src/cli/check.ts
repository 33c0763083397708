import { loadConfig } from '../config/load.ts'
import { ConfigError, describeProblem } from '../config/problems.ts'

export interface Output {
  write(text: string): unknown
}

/** `jeton check`: every problem of a configuration, a line each, on stderr. Gives the exit code: 0, or 1 where there are any. */
export async function checkCommand(path: string, { out, err }: { out: Output; err: Output }): Promise<0 | 1> {
  try {
    const { databases, issuers, apiKeys, grants } = await loadConfig(path)
    const counts = [
      counted(databases.length, 'database'),
      counted(issuers.length, 'issuer'),
      counted(Object.keys(apiKeys).length, 'API key'),
      counted(grants.length, 'grant'),
    ]
    out.write(`ok: ${counts.join(', ')}\n`)
    return 0
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    for (const problem of cause.problems) err.write(`${describeProblem(problem)}\n`)
    return 1
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
