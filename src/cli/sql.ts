import { loadStaticConfig } from '../config/load.ts'
import { namesText } from '../config/problems.ts'
import { UsageError } from '../errors.ts'
import { accountSql } from '../rds/account-sql.ts'
import type { CommandOutput } from './streams.ts'
import { catchUsageErrors, requireDatabase } from './usage-error.ts'

export interface SqlArguments {
  configPath: string
  database: string
  /** Only this one of the configured users; without it, all of them. */
  user?: string | undefined
}

/**
 * `jeton sql`: prints the SQL that creates a database's accounts. Returns the exit code: 0, or 2 for a usage error. Throws
 * `ConfigError`.
 */
export function sqlCommand(args: SqlArguments, { stdout, stderr }: CommandOutput): Promise<number> {
  return catchUsageErrors(stderr, async () => {
    const { databases } = await loadStaticConfig(args.configPath)
    const { engine, kind, users: configured } = requireDatabase(args.database, databases)
    const users = args.user === undefined ? configured : configured.filter(user => user === args.user)
    if (users.length === 0)
      throw new UsageError(
        `--user: ${args.database} has no configured user of that name; it has: ${namesText(configured)}`,
      )
    stdout.write(accountSql({ engine, kind, users }))
    return 0
  })
}
