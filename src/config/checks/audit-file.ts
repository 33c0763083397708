import { constants } from 'node:fs'
import { access, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { systemCode } from '../../lib/system-error.ts'

/**
 * Returns why jeton could not write its audit log to a file on this machine, to be read after the key; undefined if nothing
 * speaks against it. The folder must be writable even if the file is there: the lock lies beside it. Creates nothing.
 */
export async function findAuditFileProblem(path: string): Promise<string | undefined> {
  const target = await realTarget(path)
  const folder = dirname(target)
  const folderProblem = await findFolderProblem(folder)
  if (folderProblem !== undefined) return folderProblem
  try {
    const stats = await stat(target)
    if (stats.isDirectory()) return 'is a folder: name a file in it'
    if (!stats.isFile()) return 'is not a regular file: for a pipe, use a sink with type: stdout'
  } catch (cause) {
    const code = systemCode(cause)
    return code === 'ENOENT' ? undefined : `cannot be reached (${code ?? 'unknown error'})`
  }
  const refusal = await refusalOf(target, constants.R_OK | constants.W_OK)
  return (
    refusal &&
    `is a file that jeton cannot read and write (${refusal}): give it to the user that jeton runs as`
  )
}

async function findFolderProblem(folder: string): Promise<string | undefined> {
  try {
    if (!(await stat(folder)).isDirectory()) return `is in ${folder}, which is not a folder`
  } catch (cause) {
    const code = systemCode(cause)
    return code === 'ENOENT'
      ? `is in a folder that does not exist: create ${folder}, for the user that jeton runs as`
      : `is in a folder that cannot be reached (${code ?? 'unknown error'}): ${folder}`
  }
  const refusal = await refusalOf(folder, constants.W_OK | constants.X_OK)
  return (
    refusal &&
    `is in a folder that jeton cannot write to (${refusal}), and its lock lies beside the file: give ${folder} to the user that jeton runs as`
  )
}

async function refusalOf(path: string, mode: number): Promise<string | undefined> {
  return access(path, mode).then(
    () => undefined,
    cause => systemCode(cause) ?? 'unknown error',
  )
}

/** Returns the path of a file behind all links, even if it does not exist yet; as far as its folders exist. */
export async function realTarget(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const link = await readlink(path).catch(() => undefined)
    const named = link === undefined ? path : resolve(dirname(path), link)
    const folder = await realpath(dirname(named)).catch(() => dirname(named))
    return join(folder, basename(named))
  }
}
