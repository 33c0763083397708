import { lstat, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { systemCode } from '../../lib/system-error.ts'
import { makeFolder } from '../private-folder.ts'

/** As many as Linux follows. */
const MAX_LINKS = 40

/**
 * Returns where a file really lies, or is to lie, without a link in the path: what is written there leaves links as they are. A
 * folder that is missing is made, for this user alone. Throws the error of the system.
 */
export async function resolveTarget(path: string, links = 0): Promise<string> {
  const absolute = resolve(path)
  await makeFolder(dirname(absolute))
  const target = join(await realpath(dirname(absolute)), basename(absolute))
  const found = await lstat(target).catch(cause => {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw cause
  })
  if (!found?.isSymbolicLink()) return target
  if (links === MAX_LINKS) throw Object.assign(new Error('too many links'), { code: 'ELOOP' })
  return resolveTarget(resolve(dirname(target), await readlink(target)), links + 1)
}
