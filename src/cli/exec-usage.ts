import { invalidUsage } from '../client/errors.ts'

/** What stands on the command line of `jeton exec` besides options. */
export interface ExecWords {
  database: string | undefined
  /** Further words before `--`, or after the database if there is no `--`. */
  extraWords: readonly string[]
  /** All after `--`; undefined without it. */
  command: readonly string[] | undefined
  proxy?: boolean | undefined
}

/** The database, the command and the command's arguments. */
export interface ExecTarget {
  database: string
  command: string
  commandArgs: readonly string[]
}

/**
 * Returns what to run for which database. `--` has to stand before the command, since otherwise the command's options could be
 * taken for jeton's. Throws CallerError (a usage error) that shows how to write it, without the command's arguments.
 */
export function parseExecWords(words: ExecWords): ExecTarget {
  const { database, extraWords, command: afterDashes, proxy } = words
  const usage = (parts: UsageParts = {}) => usageOf({ ...parts, proxy })
  const [extraWord] = extraWords
  if (afterDashes === undefined) {
    if (!database) throw invalidUsage(`no database and no command: ${usage()}`)
    if (database.startsWith('-'))
      throw invalidUsage(`${database} is no option of jeton exec, whose command comes after --: ${usage()}`)
    if (extraWord === undefined)
      throw invalidUsage(`no command: it comes after --, as in ${usage({ database, command: 'psql' })}`)
    throw invalidUsage(`-- is missing before the command: ${usage({ database, command: extraWord })}`)
  }

  const [command, ...commandArgs] = afterDashes
  if (!database) throw invalidUsage(`no database: it comes before --, as in ${usage({ command })}`)
  if (extraWord !== undefined)
    throw invalidUsage(
      `${extraWord} stands before --, where only one database and jeton's options may be: ${usage({ database, command: extraWord })}`,
    )
  const [, name, port] = /^(.*):(\d+)$/.exec(database) ?? []
  if (port !== undefined)
    throw invalidUsage(
      `${database} is more than the name of a database, and a proxy's port is --proxy-port ${port}: ${usage({ database: name, command })}`,
    )
  if (command === undefined) throw invalidUsage(`no command after --: ${usage({ database })}`)
  if (command === '')
    throw invalidUsage(`the command after -- is empty: is a variable not set? ${usage({ database })}`)
  if (command.startsWith('-'))
    throw invalidUsage(
      `${command} stands after --, where the command begins: jeton's own options come before it, as in jeton exec ${database} --user NAME -- COMMAND …`,
    )
  return { database, command, commandArgs }
}

interface UsageParts {
  database?: string | undefined
  command?: string | undefined
}

function usageOf({
  database = 'DATABASE',
  command = 'COMMAND',
  proxy,
}: UsageParts & Pick<ExecWords, 'proxy'>): string {
  return `jeton exec ${proxy ? '--proxy ' : ''}${database} -- ${command.startsWith('-') ? 'COMMAND' : command} …`
}
