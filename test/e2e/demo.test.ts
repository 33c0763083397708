import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const DEMO = fileURLToPath(new URL('../support/service/demo.ts', import.meta.url))

test('the demo shows a token, refusals and the record of the vend, and ends', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', DEMO, '--once'])
  expect(stdout).toMatch(/"decision":"vended","principal":\{.*"fingerprint":"[0-9a-f]{16}…"/)
  expect(stdout).toMatch(/jeton audit verify: ok/)
}, 60_000)
