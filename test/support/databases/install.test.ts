import { chmod } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../run.ts'
import { findProgram, lookForProgram } from './programs.ts'
import { createHome, type Home } from './server-folder.ts'

const INSTALL = fileURLToPath(new URL('./install.ts', import.meta.url))
let home: Home
beforeAll(async () => {
  home = await createHome({ name: 'test', preferred: [] })
})
afterAll(() => home.remove())

test('a program is found, or said not to be there', async () => {
  expect(await lookForProgram('sh')).toMatch(/\/sh$/)
  expect(await lookForProgram('no-such-program')).toBeUndefined()
  await expect(findProgram('no-such-program')).rejects.toThrow('no-such-program is not installed here')
})

/** Asks, in a process of its own, whether tests that need wrk are to run there. */
function canRunWrk(env: Record<string, string>) {
  const script = `
const { canRun } = await import(${JSON.stringify(INSTALL)})
console.log(await canRun(['wrk']))`
  return run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { env })
}

test('what is missing is said loudly, and fails in CI; what is there can run', async () => {
  const PATH = home.folder
  const missing = await canRunWrk({ PATH })
  expect(missing.stdout).toBe('false\n')
  expect(missing.stderr).toContain('!!! TESTS DID NOT RUN for want of wrk')
  expect(missing.stderr).toContain('as root: apt-get install wrk')
  expect(await canRunWrk({ PATH, CI: 'true' })).toMatchObject({ stdout: 'true\n', stderr: '' })

  await chmod(await home.put('wrk', '#!/bin/sh\n'), 0o755)
  expect(await canRunWrk({ PATH })).toMatchObject({ stdout: 'true\n', stderr: '' })
})
