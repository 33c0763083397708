import { join } from 'node:path'
import { type ClientFamily, clientFamily } from '../../client-family.ts'
import { failure, invalidUsage } from '../../errors.ts'
import type { VendedToken } from '../../library/types.ts'
import type { ProxiedDatabase } from '../proxy.ts'

/** Where a database's clients connect to. */
export type LocalAddress =
  | { readonly path: string; readonly port: number }
  | { readonly path?: undefined; readonly port: number }

/** The longest path of a socket that systems take, which would cut it without a word. */
const MAX_PATH_BYTES = process.platform === 'darwin' ? 103 : 107

/**
 * Returns where a database is to be listened for, named as its clients look for it: libpq takes a folder and a port, MySQL's
 * clients a path. Throws CallerError for an engine that is not known, and for a path that is too long.
 */
export function localAddress(
  { name, listen }: Pick<ProxiedDatabase, 'name' | 'listen'>,
  token: Pick<VendedToken, 'engine' | 'port'>,
): LocalAddress {
  if ('loopbackPort' in listen) return { port: listen.loopbackPort }
  const port = listen.port ?? token.port
  const path = join(listen.folder, socketName(clientFamily(token), port))
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_PATH_BYTES)
    throw failure(
      `the socket of ${name} would be ${path}, which is ${bytes} bytes long, and a socket's path may have ${MAX_PATH_BYTES}: give --socket-dir a shorter one`,
    )
  return { path, port }
}

function socketName(family: ClientFamily, port: number): string {
  return family === 'postgres' ? `.s.PGSQL.${port}` : `mysql.${port}.sock`
}

/** Throws CallerError if two databases are to be at one address. */
export function checkDistinct(addresses: readonly (LocalAddress & { readonly database: string })[]): void {
  const taken = new Map<string, string>()
  for (const { database, path, port } of addresses) {
    const place = path ?? `port ${port}`
    const other = taken.get(place)
    if (other !== undefined)
      throw invalidUsage(
        `${other} and ${database} would both be at ${place}: give one of them another port, as in ${database}:${port + 1}`,
      )
    if (path !== undefined || port !== 0) taken.set(place, database)
  }
}
