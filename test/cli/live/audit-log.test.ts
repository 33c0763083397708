import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openFileSink } from '../../../src/audit/file/sink.ts'
import { sinkChecks } from '../../../src/cli/live/audit-log.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createHealth } from '../../../src/telemetry/health.ts'
import { createLogRecorder } from '../../support/service/log-recorder.ts'

const clock = systemClock()
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jeton-live-'))
})
afterEach(() => rm(folder, { recursive: true }))

const tryFile = async (path: string) => sinkChecks({ type: 'file', path }, clock)[0]?.run()

describe('the check of an audit file', () => {
  test('is content with one that is not there yet, and makes none', async () => {
    expect(await tryFile(join(folder, 'audit.jsonl'))).toEqual({
      result: 'ok',
      detail: 'may be written to, and no other process does',
    })
    expect(await readdir(folder)).toEqual([])
  })

  test('is content with one that a running jeton has, which goes on writing', async () => {
    const path = join(folder, 'audit.jsonl')
    const sink = await openFileSink({ path, clock, health: createHealth(), log: createLogRecorder() })
    expect(await tryFile(path)).toEqual({ result: 'ok', detail: 'a running jeton writes to it' })
    await sink.append(['{"type":"jeton.audit"}'])
    await sink.close()
    expect(await tryFile(path)).toMatchObject({ detail: expect.stringContaining('no other process') })
  })

  test('fails if there is no folder for it', async () => {
    expect(await tryFile(join(folder, 'nowhere', 'audit.jsonl'))).toEqual({
      result: 'failed',
      detail: 'its folder does not exist: create it, for the user that jeton runs as',
    })
  })

  test.runIf(process.platform === 'linux')('fails if its folder cannot be written', async () => {
    // not even by root
    expect(await tryFile('/sys/audit.jsonl')).toMatchObject({
      result: 'failed',
      detail: expect.stringMatching(/cannot be made in its folder \((EACCES|EPERM|EROFS)\)/),
    })
  })

  test.each([
    ['a folder', (path: string) => mkdir(path), /EISDIR/],
    ['not of jeton', (path: string) => writeFile(path, 'x\n'.repeat(4 << 20)), /not an audit file of jeton/],
  ])('fails if it is %s', async (_, make, words) => {
    await make(join(folder, 'audit.jsonl'))
    expect(await tryFile(join(folder, 'audit.jsonl'))).toMatchObject({
      result: 'failed',
      detail: expect.stringMatching(words),
    })
  })
})
