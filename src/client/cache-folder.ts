import { lstat, readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { sha256Hex } from '../lib/hash.ts'
import type { Environment } from '../lib/process-input.ts'
import { putInPlace } from '../lib/replace-file.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { failure } from './errors.ts'
import type { PutFile } from './login-files.ts'
import { checkBase, ForeignFile, makePrivate, nearestExisting, WRITABLE_BY_OTHERS } from './private-folder.ts'

export interface CacheFolderOptions {
  env: Environment
  /** This process's user; undefined on Windows, where owners are not checked. */
  uid: number | undefined
}

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
