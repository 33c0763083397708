import { lstat, mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { sha256Hex } from '../lib/hash.ts'
import type { Environment } from '../lib/process-input.ts'
import { putInPlace } from '../lib/replace-file.ts'
import { systemCode, systemCodeNote } from '../lib/system-error.ts'
import { failure } from './errors.ts'
import type { PutFile } from './login-files.ts'

export interface CacheFolderOptions {
  env: Environment
  /** This process's user; undefined on Windows, where owners are not checked. */
  uid: number | undefined
}

/** What others may do with a file. */
const WRITABLE_BY_OTHERS = 0o022
const WRITABLE_BY_ALL = 0o002
/** Of a folder in which each may rename and remove only what is his own, such as /tmp. */
const STICKY = 0o1000

/**
 * Returns a function that keeps public files of logins in this user's cache: `~/.cache/jeton`, or another if there is none. A
 * name gets the hash of the text, so that each text is written once, and a path says for ever what it said. Nothing of
 * somebody else's is used. The function throws CallerError if there is no place for the files.
 * https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function createCacheFolder({ env, uid }: CacheFolderOptions): PutFile {
  return async ({ name, text }) => {
    const [first = '', ...rest] = name.split('/')
    const path = [withHash(first, text), ...rest].join('/')
    const problems: string[] = []
    for (const base of basesOf(env)) {
      const folder = join(base, 'jeton')
      try {
        await checkBase(await nearestExisting(base), uid)
        await makePrivate(folder, uid)
        if (rest.length > 0) await makePrivate(dirname(join(folder, path)), uid)
        const file = join(folder, path)
        if (!(await isKept(file, { text, uid }))) await putInPlace(file, { text, mode: 0o600 })
        return file
      } catch (cause) {
        problems.push(cause instanceof ForeignFile ? cause.message : `${folder}${systemCodeNote(cause)}`)
      }
    }
    const why = problems.join('; ') || 'neither XDG_CACHE_HOME nor HOME is set'
    const orElse = name === 'ca.pem' ? ', or give --ca-file' : ''
    throw failure(
      `no private folder for ${name} (${why}): set XDG_CACHE_HOME to an existing folder of yours${orElse}`,
    )
  }
}

class ForeignFile extends Error {
  override readonly name = 'ForeignFile'
}

/** The specification ignores relative paths. Sessions end before their caches, so their folder comes last. */
function basesOf(env: Environment): string[] {
  const home = env.HOME === undefined ? [] : [join(env.HOME, '.cache')]
  const bases = [env.XDG_CACHE_HOME ?? '', ...home, env.XDG_RUNTIME_DIR ?? '']
  return bases.filter(base => isAbsolute(base))
}

function withHash(name: string, text: string): string {
  const [, stem = name, extension = ''] = /^(.*?)(\.\w+)?$/.exec(name) ?? []
  return `${stem}-${sha256Hex(text)}${extension}`
}

async function nearestExisting(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  )
  return exists || dirname(path) === path ? path : nearestExisting(dirname(path))
}

/** Who owns a folder, or may write to it, could swap what is in it; and what root leaves in one, its owner could not use. */
async function checkBase(path: string, uid: number | undefined): Promise<void> {
  if (uid === undefined) return
  const found = await stat(path)
  if (found.uid !== uid) throw new ForeignFile(`${path} belongs to somebody else`)
  // a group may be the user's own, as it is where the umask is 002
  if (found.mode & WRITABLE_BY_ALL && !(found.mode & STICKY))
    throw new ForeignFile(`${path} may be written to by others`)
}

async function makePrivate(folder: string, uid: number | undefined): Promise<void> {
  await makeFolder(folder)
  const found = await lstat(folder)
  if (!found.isDirectory()) throw new ForeignFile(`${folder} is not a folder`)
  if (uid === undefined) return
  if (found.uid !== uid) throw new ForeignFile(`${folder} belongs to somebody else`)
  if (found.mode & WRITABLE_BY_OTHERS) throw new ForeignFile(`${folder} may be written to by others`)
}

/** As mkdir with `recursive`, which says of a read-only file system that a folder is not there. */
async function makeFolder(folder: string): Promise<void> {
  const make = () =>
    mkdir(folder, { mode: 0o700 }).catch(cause => {
      if (systemCode(cause) !== 'EEXIST') throw cause
    })
  await make().catch(async cause => {
    if (systemCode(cause) !== 'ENOENT' || dirname(folder) === folder) throw cause
    await makeFolder(dirname(folder))
    await make()
  })
}

async function isKept(
  path: string,
  { text, uid }: { text: string; uid: number | undefined },
): Promise<boolean> {
  try {
    const found = await lstat(path)
    if (!found.isFile() || (uid !== undefined && (found.uid !== uid || found.mode & WRITABLE_BY_OTHERS)))
      return false
    return (await readFile(path, 'utf8')) === text
  } catch {
    return false
  }
}
