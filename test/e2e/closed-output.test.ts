import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sound } from '../config/support.ts'
import { CLI } from '../support/service/jeton.ts'

/** Whoever pipes a command into `head`, or quits a pager, has read enough: that is no failure, and no bug. */
describe('a command whose output nobody reads any more ends without a word:', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jeton-closed-'))
    const config = { ...sound(), audit: [{ type: 'file', path: 'audit.jsonl' }] }
    await writeFile(join(folder, 'jeton.yaml'), JSON.stringify(config), { mode: 0o600 })
    await writeFile(join(folder, 'claims.json'), JSON.stringify({ sub: 'me' }))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test.each([
    ['explain --issuer github --claims claims.json', 3],
    ['iam orders --format cloudformation', 0],
    ['sql orders', 0],
    ['check', 0],
    ['apikey me', 0],
    ['--help', 0],
  ])('%s', async (commandLine, code) => {
    const child = spawn(process.execPath, [CLI, ...commandLine.split(' ')], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.destroy()
    const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'close')])
    expect({ stderr: stderr.replace(/^note: .*\n/gm, ''), exitCode }).toEqual({ stderr: '', exitCode: code })
  })
})
