import { chmod } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findProgram, lookForProgram } from '../../../src/dev/postgres/programs.ts'
import { createPrivateFolder, type PrivateFolder } from '../../../src/dev/private-folder.ts'
import { run } from '../run.ts'

const INSTALL = fileURLToPath(new URL('./install.ts', import.meta.url))
let serverFolder: PrivateFolder
beforeAll(async () => {
  serverFolder = await createPrivateFolder({ name: 'test' })
})
afterAll(() => serverFolder.remove())

test('lookForProgram and findProgram find an installed program, and say if there is none', async () => {
  expect(await lookForProgram('sh')).toMatch(/\/sh$/)
  expect(await lookForProgram('no-such-program')).toBeUndefined()
  await expect(findProgram('no-such-program')).rejects.toThrow('no-such-program is not installed here')
})

/** Calls `canRun(['wrk'])` in a process of its own. */
function canRunWrk(env: Record<string, string>) {
  const script = `
const { canRun } = await import(${JSON.stringify(INSTALL)})
console.log(await canRun(['wrk']))`
  return run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { env })
}

test('canRun names a missing tool on stderr, returns true in CI all the same, and true if nothing is missing', async () => {
  const PATH = serverFolder.path
  const missing = await canRunWrk({ PATH })
  expect(missing.stdout).toBe('false\n')
  expect(missing.stderr).toContain('!!! TESTS SKIPPED, missing: wrk')
  expect(missing.stderr).toContain('as root: apt-get install wrk')
  expect(await canRunWrk({ PATH, CI: 'true' })).toMatchObject({ stdout: 'true\n', stderr: '' })

  await chmod(await serverFolder.put('wrk', '#!/bin/sh\n'), 0o755)
  expect(await canRunWrk({ PATH })).toMatchObject({ stdout: 'true\n', stderr: '' })
})
