import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
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

  test.runIf(existsSync('/dev/full'))('but a disk that is full is a failure, in a sentence', async () => {
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, [CLI, 'sql', 'orders'], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['ignore', full, 'pipe'],
    })
    closeSync(full)
    const [stderr, [exitCode]] = await Promise.all([text(child.stderr as Readable), once(child, 'close')])
    expect({ stderr, exitCode }).toEqual({
      stderr: 'jeton: cannot write to standard output (ENOSPC)\n',
      exitCode: 1,
    })
  })
})
