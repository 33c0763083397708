import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { failure } from '../client/errors.ts'
import type { Environment } from '../lib/process-input.ts'
import { systemCodeNote } from '../lib/system-error.ts'

const PREFIX = 'jeton-'

/** Writes a file that only this user can read, or run; returns its path. */
export type PutPrivately = (file: { name: string; text: string; isProgram?: boolean }) => Promise<string>

/** Returns the path of a new folder that only this user can enter, where the runner keeps what belongs to the job. Throws CallerError. */
export async function makePrivateFolder({ RUNNER_TEMP: parent }: Environment): Promise<string> {
  if (!parent || !isAbsolute(parent))
    throw failure('RUNNER_TEMP is not set: this runs as a step of GitHub Actions alone')
  return mkdtemp(join(parent, PREFIX)).catch(cause => {
    throw failure(`cannot create a folder in RUNNER_TEMP${systemCodeNote(cause)}`, cause)
  })
}

/** Returns what writes to such a folder. */
export function putInto(folder: string): PutPrivately {
  return async ({ name, text, isProgram = false }) => {
    const path = join(folder, name)
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeFile(path, text, { mode: 0o600, flag: 'wx' })
      if (isProgram) await chmod(path, 0o700)
    } catch (cause) {
      throw failure(`cannot write ${name} to the folder in RUNNER_TEMP${systemCodeNote(cause)}`, cause)
    }
    return path
  }
}

/** Removes a folder that `makePrivateFolder` made, with all that is in it; nothing else. Throws CallerError. */
export async function removePrivateFolder(
  folder: string,
  { RUNNER_TEMP: parent }: Environment,
): Promise<void> {
  const isOurs =
    parent !== undefined && dirname(folder) === resolve(parent) && basename(folder).startsWith(PREFIX)
  if (!isOurs) throw failure('the folder to be removed is none of RUNNER_TEMP: it stays')
  await rm(folder, { recursive: true, force: true }).catch(cause => {
    throw failure(`cannot remove the folder with the token${systemCodeNote(cause)}`, cause)
  })
}
