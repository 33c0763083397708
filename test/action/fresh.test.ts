import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { ACTION } from '../support/platforms/github-runner.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

test('action/index.mjs is what the sources make', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'action-'))
  try {
    const fresh = join(folder, 'index.mjs')
    const script = `const { buildAction } = await import('./build/action.mjs'); await buildAction(process.argv[1])`
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, fresh], { cwd: ROOT })
    const [committed, built] = await Promise.all([readFile(join(ROOT, ACTION.runs.main)), readFile(fresh)])
    expect(
      committed.equals(built),
      'action/index.mjs is not what its sources make: run `npm run build:action` and commit it',
    ).toBe(true)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('its licences are at its end, and its version is that of the package', async () => {
  const code = await readFile(join(ROOT, ACTION.runs.main), 'utf8')
  expect(code).toContain(`"${manifest.version}"`)
  expect(code.slice(code.lastIndexOf('\n/*'))).toMatch(/^commander \d[\d.]* \(MIT\)$/m)
  expect(code).not.toContain(ROOT)
})

test('post runs whatever happened', () => {
  expect(ACTION.runs).toEqual({
    ...{ using: 'node24', main: 'action/index.mjs' },
    ...{ post: 'action/post.mjs', 'post-if': 'always()' },
  })
})
