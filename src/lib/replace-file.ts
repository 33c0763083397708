import { randomUUID } from 'node:crypto'
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { systemCode } from './system-error.ts'

/** Why a file cannot be put in the place of another: the folder is not ours, or it is a mount of its own. */
const FIXED: readonly unknown[] = ['EACCES', 'EPERM', 'EBUSY']

/**
 * Writes a file that others may read at any time: they see the old text or the new one, never half of it. One that has the text
 * is left alone, one with another keeps its mode. What is no file, such as /dev/stderr, is written to as it is, and so is a file
 * that cannot be replaced. Throws the error of the system.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found && !found.isFile()) return writeFile(path, text)
  if (found && (await readFile(path, 'utf8').catch(() => undefined)) === text) return
  try {
    await putInPlace(found ? await realpath(path) : path, { text, mode: (found?.mode ?? 0o644) & 0o777 })
  } catch (cause) {
    if (!found || !FIXED.includes(systemCode(cause))) throw cause
    await writeFile(path, text)
  }
}

/** Renames a file into its place when it is complete, so that no reader sees half of it. Throws the error of the system. */
export async function putInPlace(
  path: string,
  { text, mode }: { text: string; mode: number },
): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  try {
    await writeFile(temporary, text, { mode, flag: 'wx' })
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}
