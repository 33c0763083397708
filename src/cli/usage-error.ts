import { namesText } from '../config/problems.ts'
import { UsageError } from '../errors.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import type { Database } from '../rds/database.ts'
import { USAGE_ERROR } from './exit-codes.ts'
import type { TextOutput } from './streams.ts'

/** Returns the exit code of `command`. If it throws `UsageError`, prints the message and returns 2. */
export async function catchUsageErrors(stderr: TextOutput, command: () => Promise<number>): Promise<number> {
  try {
    return await command()
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause
    stderr.write(`jeton: ${escapeUnprintable(cause.message)}\n`)
    return USAGE_ERROR
  }
}

/** Returns the configured database of that name. Throws `UsageError` if there is none. */
export function requireDatabase(name: string, databases: readonly Database[]): Database {
  const database = databases.find(each => each.name === name)
  if (database) return database
  const known = namesText(databases.map(each => each.name))
  throw new UsageError(`the configuration has no database of that name; it has: ${known}`)
}
