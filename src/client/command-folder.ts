import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Environment } from '../lib/process-input.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { failure } from './errors.ts'
import type { PutFile } from './login-files.ts'

/** A folder that only this user can enter, for as long as a command runs. */
export interface CommandFolder {
  /** An absolute path. */
  readonly path: string
  readonly put: PutFile
}

/** Returns what `use` returns. The folder, in TMPDIR, is removed before this settles. Throws CallerError if it cannot be made. */
export async function withCommandFolder<T>(
  env: Environment,
  use: (folder: CommandFolder) => Promise<T>,
): Promise<T> {
  const temporary = resolve(env.TMPDIR || '/tmp')
  const path = await mkdtemp(join(temporary, 'jeton-')).catch(cause => {
    const why = `cannot create a folder in ${temporary}${systemCodeNote(cause)}`
    throw failure(`${why}: set TMPDIR to a folder that can be written to`, cause)
  })
  try {
    return await use({ path, put: putIn(path) })
  } finally {
    // how the command ended matters more than a file without secrets that stays behind
    await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
}

function putIn(folder: string): PutFile {
  return async ({ name, text }) => {
    const path = join(folder, name)
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeFile(path, text, { mode: 0o600 })
    } catch (cause) {
      throw failure(`cannot write to ${folder}${systemCodeNote(cause)}`, cause)
    }
    return path
  }
}
