import { namesText } from '../config/problems.ts'
import type { Database } from '../rds/database.ts'
import type { Output } from './check.ts'

/** Told to whoever typed the command; the message is fit for a terminal. */
export class UsageError extends Error {}

/** Gives what the command gives, or 2 and the message on `err` where it was called wrongly. */
export async function catchUsageErrors(err: Output, command: () => Promise<number>): Promise<number> {
  try {
    return await command()
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause
    err.write(`jeton: ${cause.message}\n`)
    return 2
  }
}

/** Throws `WrongUsage` where no database of the configuration has that name. */
export function databaseNamed(name: string, databases: readonly Database[]): Database {
  const found = databases.find(database => database.name === name)
  if (found) return found
  throw new UsageError(`there is no database of that name (${namesText(databases.map(each => each.name))})`)
}
