import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** Folders of servers that are not on an ordinary user's PATH. */
const OTHER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin', '/usr/local/pgsql/bin']
const DEBIAN_POSTGRES = '/usr/lib/postgresql'

/** Returns the path of an installed program, or undefined. PATH comes first; of several Debian PostgreSQLs, the newest. */
export async function lookForProgram(name: string): Promise<string | undefined> {
  const versions = await readdir(DEBIAN_POSTGRES).catch(() => [])
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
    ...OTHER_FOLDERS,
    ...versions.sort((a, b) => Number(b) - Number(a)).map(version => join(DEBIAN_POSTGRES, version, 'bin')),
  ]
  for (const folder of folders) {
    const path = join(folder, name)
    if (await isExecutable(path)) return path
  }
  return undefined
}

/** Like `lookForProgram`, but throws if there is none. */
export async function findProgram(name: string): Promise<string> {
  const path = await lookForProgram(name)
  if (path === undefined) throw new Error(`${name} is not installed here`)
  return path
}

const isExecutable = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
