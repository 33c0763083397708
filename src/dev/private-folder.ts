import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemCodeNote } from '../lib/system-error.ts'
import { startCleanupShell } from './cleanup-shell.ts'

/** The account that a database server runs as. */
export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/** A folder that only one account can read, and that does not outlive this process. */
export interface PrivateFolder {
  readonly path: string
  /** The owner; undefined if that is this process's own account. */
  readonly user: SystemUser | undefined
  /** Writes a file at a path in the folder, readable by the owner only; returns its full path. */
  put(name: string, text: string): Promise<string>
  /** Makes sure that a child is ended by `signal` when this process is gone. */
  killOnExit(child: ChildProcess, signal: string): void
  remove(): Promise<void>
}

/**
 * Creates a temporary folder that only its owner can read. Database servers refuse to run as root: if this process does, the
 * owner is the first of `preferred` that exists, else nobody; without `preferred`, it is this process's own account. The
 * folder and the children are gone when this process is, even by SIGKILL (not on Windows).
 */
export async function createPrivateFolder(options: {
  name: string
  preferred?: readonly string[]
}): Promise<PrivateFolder> {
  const { name, preferred } = options
  const user = preferred && process.getuid?.() === 0 ? await unprivilegedUser(preferred) : undefined
  const folder = join(tmpdir(), `jeton-${name}-${randomBytes(8).toString('hex')}`)
  // before the folder is there, so that there is no moment in which it would stay
  const cleanup = startCleanupShell(folder)
  await mkdir(folder, { mode: 0o700 }).catch(cause => {
    const reason = `cannot create a folder in ${tmpdir()}${systemCodeNote(cause)}`
    throw new Error(`${reason}: name one in TMPDIR that this user may write to`)
  })
  if (user) await chown(folder, user.uid, user.gid)
  return {
    path: folder,
    user,
    killOnExit: cleanup.watch,
    async put(file, text) {
      const path = join(folder, file)
      await writeFile(path, text, { mode: 0o600 })
      if (user) await chown(path, user.uid, user.gid)
      return path
    },
    async remove() {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
      cleanup.release()
    },
  }
}

async function unprivilegedUser(preferred: readonly string[]): Promise<SystemUser> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'))
  for (const name of [...preferred, 'nobody']) {
    const line = lines.find(([candidate]) => candidate === name)
    if (line) return { uid: Number(line[2]), gid: Number(line[3]) }
  }
  throw new Error('this process runs as root, and there is no other user to run a database server as')
}
