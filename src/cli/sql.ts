import { loadStaticConfig } from '../config/load.ts'
import { namesText } from '../config/problems.ts'
import { accountSql } from '../rds/account-sql.ts'
import type { Output } from './check.ts'
import { catchUsageErrors, databaseNamed, UsageError } from './usage-error.ts'

export interface SqlArguments {
  configPath: string
  database: string
  /** This one of its configured users; all without it. */
  user?: string | undefined
}

/**
 * `jeton sql`: prints the SQL that makes a database's accounts. Gives the exit code: 0, or 2 for wrong usage. Throws
 * `ConfigError`.
 */
export function sqlCommand(args: SqlArguments, { out, err }: { out: Output; err: Output }): Promise<number> {
  return catchUsageErrors(err, async () => {
    const { databases } = await loadStaticConfig(args.configPath)
    const { engine, kind, users: all } = databaseNamed(args.database, databases)
    const users = args.user === undefined ? all : all.filter(user => user === args.user)
    if (users.length === 0)
      throw new UsageError(`--user: ${args.database} is configured with no such user (${namesText(all)})`)
    out.write(accountSql({ engine, kind, users }))
    return 0
  })
}
