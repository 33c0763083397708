import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCleanupShell } from '../../src/dev/cleanup-shell.ts'

/**
 * Gives this process, and those that it starts with its environment, a temporary folder of their own. Whatever they leave behind
 * is removed with it when this process is gone: at its end, by a signal, with its terminal. Returns what removes it earlier.
 */
export async function useOwnTempFolder(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'jeton-tests-'))
  // database servers, which run as another user, have folders in it
  await chmod(folder, 0o711)
  const cleanup = startCleanupShell(folder)
  const before = process.env.TMPDIR
  process.env.TMPDIR = folder
  return async () => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    cleanup.release()
  }
}
