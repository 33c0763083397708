import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createPrivateFolder } from '../../src/dev/private-folder.ts'
import { processesWith } from '../support/processes.ts'

const MODULE = fileURLToPath(new URL('../../src/dev/private-folder.ts', import.meta.url))

test('createPrivateFolder makes a folder, and files in it, that only the owner can read', async () => {
  const folder = await createPrivateFolder({ name: 'test' })
  const file = await folder.put('secret', 'x')
  expect(statSync(folder.path).mode & 0o777).toBe(0o700)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  await folder.remove()
  expect(existsSync(folder.path)).toBe(false)
})

/** Has three children: one that ends by itself, one that SIGTERM ends, one that ignores it. */
const OWNER = `
import { spawn } from 'node:child_process'
import { once } from 'node:events'
const { createPrivateFolder } = await import(${JSON.stringify(MODULE)})
const folder = await createPrivateFolder({ name: 'test' })
const children = ['exit 0', 'sleep 100', 'trap "" TERM; sleep 100; sleep 100'].map(script =>
  spawn('/bin/sh', ['-c', script, folder.path], { detached: true, stdio: 'ignore' }))
for (const child of children) folder.killOnExit(child, 'TERM')
await once(children[0], 'exit')
console.log(folder.path)
setInterval(() => {}, 1000)
`

test('the folder and all children are gone after kill -9 of the process that created it', async () => {
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', OWNER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [chunk] = await once(owner.stdout, 'data')
  const path = String(chunk).trim()
  expect(existsSync(path)).toBe(true)
  // the two that still run, and the shell that cleans up; a shell that is about to start a program counts twice
  await expect.poll(() => processesWith(path)).toHaveLength(3)
  owner.kill('SIGKILL')
  await expect.poll(() => existsSync(path), { timeout: 20_000 }).toBe(false)
  await expect.poll(() => processesWith(path)).toEqual([])
})
