import { invalidUsage } from '../errors.ts'

/** A login that files are to have. */
export interface WantedLogin {
  /** What files, log and metrics call it: the database, with `:USER` where a database is wanted for several users. */
  readonly name: string
  readonly database: string
  /** Undefined if only one is granted. */
  readonly user: string | undefined
  /** The name of its lines in files that others share: the same for every agent that keeps this login. */
  readonly key: string
}

/**
 * Parses `DATABASE` and `DATABASE:USER`; `user` is that of all which name none. Throws CallerError (exit code 2) for a login that
 * stands there twice.
 */
export function parseWantedLogins(
  words: readonly string[],
  user: string | undefined,
): [WantedLogin, ...WantedLogin[]] {
  const [first, ...others] = words.map(word => {
    const [, database = '', own] = /^([^:]*)(?::(.+))?$/s.exec(word) ?? []
    if (database === '' || word.endsWith(':'))
      throw invalidUsage(`${word || 'an empty word'} is no database: write DATABASE, or DATABASE:USER`)
    return { database, user: own ?? user }
  })
  // commander demands one
  if (!first) throw invalidUsage('no database')
  const all = [first, ...others]
  const keys = all.map(keyOf)
  const twice = keys.find((key, index) => keys.indexOf(key) < index)
  if (twice !== undefined) throw invalidUsage(`${twice} is named twice`)
  const isShared = (database: string) => all.filter(other => other.database === database).length > 1
  const name = (login: Pick<WantedLogin, 'database' | 'user'>) =>
    isShared(login.database) ? keyOf(login) : login.database
  const complete = (login: Pick<WantedLogin, 'database' | 'user'>): WantedLogin => ({
    ...login,
    name: name(login),
    key: keyOf(login),
  })
  return [complete(first), ...others.map(complete)]
}

function keyOf({ database, user }: Pick<WantedLogin, 'database' | 'user'>): string {
  return user === undefined ? database : `${database}:${user}`
}
