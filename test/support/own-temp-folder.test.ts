import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { useOwnTempFolder } from './own-temp-folder.ts'

const CHILD = fileURLToPath(new URL('./own-temp-folder-child.ts', import.meta.url))

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

const PATIENCE = { timeout: 20_000, interval: 20 }

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('useOwnTempFolder', () => {
  test('gives a folder for all temporary ones, until it is removed', async () => {
    const before = tmpdir()
    const remove = await useOwnTempFolder()
    const inside = await mkdtemp(join(tmpdir(), 'left-behind-'))
    expect(dirname(dirname(inside))).toBe(before)
    await remove()
    expect([await exists(inside), tmpdir()]).toEqual([false, before])
  })

  // at once: each waits for processes of its own
  test.concurrent.each(['SIGHUP', 'SIGTERM', 'SIGKILL'] as const)(
    'leaves no folder and no server behind after %s',
    async signal => {
      const child = spawn(process.execPath, ['--import', 'tsx', CHILD], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [line] = await once(child.stdout, 'data')
      const { temp, folder, pid } = JSON.parse(String(line)) as { temp: string; folder: string; pid: number }
      expect([dirname(folder), await exists(folder), isRunning(pid)]).toEqual([temp, true, true])
      child.kill(signal)
      await vi.waitUntil(() => !isRunning(pid), PATIENCE)
      await vi.waitUntil(async () => !(await exists(temp)), PATIENCE)
    },
  )
})
