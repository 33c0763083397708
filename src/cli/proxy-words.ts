import { invalidUsage } from '../client/errors.ts'
import type { ListenAt, ProxiedDatabase } from '../client/proxy/proxy.ts'

/** A database as `jeton proxy` takes it: `NAME` or `NAME:PORT`. */
export interface DatabaseWord {
  readonly name: string
  readonly port: number | undefined
}

/** As the configuration of jeton has names, which become folders here. */
const WORD = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,63})(?::(\d{1,5}))?$/
export const MAX_PORT = 65_535

/** Parses the words of the command line. Throws CallerError (exit code 2), which quotes nothing that may be a secret. */
export function parseDatabases(words: readonly string[]): DatabaseWord[] {
  return words.map(word => {
    const [, name, digits] = WORD.exec(word) ?? []
    const port = digits === undefined ? undefined : Number(digits)
    if (word.startsWith('-'))
      throw invalidUsage(
        'jeton proxy runs no command: jeton exec --proxy DATABASE -- COMMAND … does, with a proxy of its own',
      )
    if (name === undefined || (port !== undefined && port > MAX_PORT))
      throw invalidUsage(
        'jeton proxy takes names of databases, with a port if need be: orders or orders:5433',
      )
    return { name, port }
  })
}

export interface PlacesOptions {
  /** The port of the first; undefined for Unix sockets. */
  firstPort: number | undefined
  /** Returns the folder for the socket of a database. */
  folderOf(database: string): Promise<string>
  user: string | undefined
}

/** Says where each database is to be listened for. Those on loopback without a port of their own get one after the other. */
export async function placeDatabases(
  words: readonly DatabaseWord[],
  { firstPort, folderOf, user }: PlacesOptions,
): Promise<ProxiedDatabase[]> {
  const databases: ProxiedDatabase[] = []
  let next = firstPort ?? 0
  for (const { name, port } of words) {
    let listen: ListenAt
    if (firstPort === undefined) listen = { folder: await folderOf(name), port }
    else {
      listen = { loopbackPort: port ?? next }
      if (port === undefined && firstPort > 0) next++
    }
    databases.push({ name, user, listen })
  }
  if (next > MAX_PORT + 1) throw invalidUsage('there are not so many ports after the one of --port')
  return databases
}

/** Parses what an option takes as a whole number. Throws CallerError (exit code 2) for anything else. */
export function parseWhole(
  text: string,
  { option, min, max }: { option: string; min: number; max: number },
): number {
  const number = Number(text)
  if (/^\d{1,7}$/.test(text) && number >= min && number <= max) return number
  throw invalidUsage(`${option} takes a number from ${min} to ${max}`)
}
