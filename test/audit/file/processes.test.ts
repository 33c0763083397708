import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, readFile, rename, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { readLink } from '../../../src/audit/file/hash-chain.ts'
import { openFileSink } from '../../../src/audit/file/sink.ts'
import { verifyFiles } from '../../../src/audit/file/verify.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createHealth } from '../../../src/telemetry/health.ts'
import { createLogRecorder } from '../../support/service/log-recorder.ts'
import { folder, line, linesOf } from '../support.ts'

/** A user without any rights; only root can become one. */
const NOBODY = 65534
const WRITER = fileURLToPath(new URL('writer.ts', import.meta.url))

function startWriter(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', WRITER, ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = { out: '', err: '' }
  child.stdout?.on('data', chunk => {
    output.out += chunk
  })
  child.stderr?.on('data', chunk => {
    output.err += chunk
  })
  const ended = once(child, 'close')
  const waitForOutput = async (length: number) => {
    while (output.out.length < length && child.exitCode === null)
      await new Promise(resolve => setTimeout(resolve, 5))
  }
  return { child, output, ended, waitForOutput }
}

/** The ids of the records in a file, which may have torn lines, too. */
async function recordIds(path: string): Promise<string[]> {
  const lines = (await linesOf(path)).filter(text => readLink(Buffer.from(text))?.isIntact)
  return lines.flatMap(text => JSON.parse(text).id ?? [])
}

/** Writes a record as the next process would: whoever is killed while the kernel writes for it leaves a torn piece behind. */
async function writeNext(path: string): Promise<void> {
  const log = createLogRecorder()
  const sink = await openFileSink({ path, clock: systemClock(), health: createHealth(), log })
  await sink.append([line('next')])
  await sink.close()
  expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
}

test('a process killed again and again leaves every acknowledged record in the file, whose chain verifies', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const acknowledged: string[] = []
  for (const round of ['x', 'y', 'z']) {
    const { child, output, ended, waitForOutput } = startWriter(round, path)
    await waitForOutput(2000)
    child.kill('SIGKILL')
    await ended
    expect(output.err).toBe('')
    acknowledged.push(...output.out.split('\n').slice(0, -1))
  }
  await writeNext(path)
  expect(await verifyFiles([path])).toMatchObject({ ok: true })
  const written = new Set(await recordIds(path))
  expect(acknowledged.length).toBeGreaterThan(100)
  expect(acknowledged.filter(id => !written.has(id))).toEqual([])
})

test('a file that is renamed again and again while processes write and are killed loses no record', async () => {
  const dir = await folder()
  const path = join(dir, 'audit.jsonl')
  const acknowledged: string[] = []
  const rotated: string[] = []
  for (const round of ['x', 'y', 'z']) {
    const { child, output, ended, waitForOutput } = startWriter(round, path)
    for (let time = 1; time <= 5; time++) {
      await waitForOutput(time * 400)
      const name = `${path}-${String(rotated.length).padStart(3, '0')}`
      // the writer may not have begun the next file yet
      await expect.poll(() => rename(path, name).then(() => 'renamed')).toBe('renamed')
      rotated.push(name)
    }
    await waitForOutput(2400)
    child.kill('SIGKILL')
    await ended
    expect(output.err).toBe('')
    acknowledged.push(...output.out.split('\n').slice(0, -1))
  }
  await writeNext(path)
  const files = [...rotated, path]
  expect(await verifyFiles(files)).toMatchObject({ ok: true })
  const written = new Set((await Promise.all(files.map(recordIds))).flat())
  expect(acknowledged.length).toBeGreaterThan(100)
  expect(acknowledged.filter(id => !written.has(id))).toEqual([])
}, 60_000)

test('a file that is copied and emptied while a process writes loses records, which it says and verification shows', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const { child, output, ended, waitForOutput } = startWriter('x', path)
  await waitForOutput(500)
  await copyFile(path, `${path}.1`)
  // these records are in no copy, and their tokens have left
  await waitForOutput(output.out.length + 500)
  await truncate(path)
  await expect.poll(() => output.err, { timeout: 20_000 }).toMatch(/^audit_tail_missing [0-9a-f]{64}\n/)
  await waitForOutput(output.out.length + 500)
  child.kill('SIGKILL')
  await ended
  expect(await verifyFiles([`${path}.1`, path])).toMatchObject({
    ok: false,
    file: path,
    line: 1,
    problem: expect.stringContaining(`records are missing between ${path}.1`),
  })
}, 60_000)

test('a second process is refused, with the name of the file, until the first is killed', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const first = startWriter('first', path)
  await first.waitForOutput(1)
  const second = startWriter('second', path)
  expect(await second.ended).toEqual([1, null])
  expect(second.output).toEqual({ out: '', err: expect.stringContaining(path) })
  expect(second.output.err).toContain('another process')
  const options = { path, clock: systemClock(), health: createHealth(), log: createLogRecorder() }
  await expect(openFileSink(options)).rejects.toThrow('another process')
  first.child.kill('SIGKILL')
  await first.ended
  await (await openFileSink(options)).close()
  expect(await readFile(path, 'utf8')).not.toContain('second')
})

test('of twenty processes that start at once beside a stale lock, one writes', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const killed = startWriter('killed', path)
  await killed.waitForOutput(1)
  killed.child.kill('SIGKILL')
  await killed.ended
  const writers = Array.from({ length: 20 }, (_, i) => startWriter(`w${i}`, path, '0'))
  // nineteen end, and whoever writes goes on
  const left = new Set(writers)
  await new Promise<void>(resolve => {
    for (const writer of writers)
      void writer.ended.then(() => {
        left.delete(writer)
        if (left.size <= 1) resolve()
      })
  })
  const [winner] = left
  await winner?.waitForOutput(1)
  winner?.child.kill('SIGKILL')
  await winner?.ended
  for (const { output, child } of writers)
    if (child !== winner?.child)
      expect(output).toEqual({ out: '', err: expect.stringContaining('another process') })
  expect(winner?.output.out).not.toBe('')
  await writeNext(path)
  expect(await verifyFiles([path])).toMatchObject({ ok: true })
}, 120_000)

test('a process that may not write in the folder is told so', async () => {
  const dir = await folder()
  await chmod(dir, 0o555)
  const { output, ended } = startWriter('reader', join(dir, 'audit.jsonl'), String(NOBODY))
  expect(await ended).toEqual([1, null])
  expect(output.err).toBe(
    `${join(dir, 'audit.jsonl')}: the lock of this audit file cannot be made in its folder (EACCES): jeton must be able to write there, and the folder must be on a file system of this machine`,
  )
})

test('a reader of stdout that goes away fails the vends and does not crash the process', async () => {
  const { child, output, ended, waitForOutput } = startWriter('r')
  await waitForOutput(1000)
  child.stdout?.destroy()
  expect(await ended).toEqual([1, null])
  expect(output.err).toBe('audit sink stdout: write EPIPE')
})
