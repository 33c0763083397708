import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { openFileSink } from '../../../src/audit/file/sink.ts'
import { verifyFiles } from '../../../src/audit/file/verify.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { rememberingLog } from '../../support/service/log.ts'
import { folder, idsOf } from '../support.ts'

const WRITER = fileURLToPath(new URL('writer.ts', import.meta.url))

function startWriter(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', WRITER, ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  const said = { out: '', err: '' }
  child.stdout?.on('data', chunk => {
    said.out += chunk
  })
  child.stderr?.on('data', chunk => {
    said.err += chunk
  })
  const ended = once(child, 'close')
  const hasSaid = async (length: number) => {
    while (said.out.length < length && child.exitCode === null)
      await new Promise(resolve => setTimeout(resolve, 5))
  }
  return { child, said, ended, hasSaid }
}

test('killed again and again: every record that was acknowledged is in the file, whose chain verifies', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const acknowledged: string[] = []
  for (const round of ['x', 'y', 'z']) {
    const { child, said, ended, hasSaid } = startWriter(round, path)
    await hasSaid(2000)
    child.kill('SIGKILL')
    await ended
    expect(said.err).toBe('')
    acknowledged.push(...said.out.split('\n').slice(0, -1))
  }
  const verdict = await verifyFiles([path])
  expect(verdict).toMatchObject({ ok: true })
  const written = new Set(await idsOf(path))
  expect(acknowledged.length).toBeGreaterThan(100)
  expect(acknowledged.filter(id => !written.has(id))).toEqual([])
})

test('a second process is refused, by name of the file, until the first is killed', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const first = startWriter('first', path)
  await first.hasSaid(1)
  const second = startWriter('second', path)
  expect(await second.ended).toEqual([1, null])
  expect(second.said).toEqual({ out: '', err: `${path}: another process writes to this audit log` })
  const options = { path, clock: systemClock(), log: rememberingLog() }
  await expect(openFileSink(options)).rejects.toThrow('another process')
  first.child.kill('SIGKILL')
  await first.ended
  await (await openFileSink(options)).close()
  expect(await readFile(path, 'utf8')).not.toContain('second')
})

test('a reader of stdout that goes away fails the vends and does not crash the process', async () => {
  const { child, said, ended, hasSaid } = startWriter('r')
  await hasSaid(1000)
  child.stdout?.destroy()
  expect(await ended).toEqual([1, null])
  expect(said.err).toBe('audit log stdout: write EPIPE')
})
