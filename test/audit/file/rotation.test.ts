import { appendFile, copyFile, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { GENESIS } from '../../../src/audit/file/hash-chain.ts'
import { openFileSink } from '../../../src/audit/file/sink.ts'
import { verifyFiles } from '../../../src/audit/file/verify.ts'
import type { Sink } from '../../../src/audit/sink.ts'
import { createHealth } from '../../../src/telemetry/health.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { createLogRecorder, eventsOf } from '../../support/service/log-recorder.ts'
import { folder, idsOf, line, linesOf } from '../support.ts'
import { failingOpen } from './failing-open.ts'

async function setUp() {
  const dir = await folder()
  const path = join(dir, 'audit.jsonl')
  const log = createLogRecorder()
  const health = createHealth()
  const { disk, ...calls } = failingOpen()
  const openSink = () => openFileSink({ path, clock: virtualClock(), health, log, ...calls })
  const sink = await openSink()
  /** The hashes that are reported as missing, in order. */
  const missing = () =>
    log.lines.flatMap(({ fields }) => (fields.event === 'audit_tail_missing' ? [fields.expected] : []))
  return { dir, path, log, health, disk, openSink, sink, missing, rotated: `${path}.1` }
}

/** Writes a batch for each id; returns the hash of the last record. */
async function write(sink: Sink, ...ids: string[]): Promise<string> {
  for (const id of ids) await sink.append([line(id)])
  return sink.headHash() ?? GENESIS
}

async function copyAndEmpty(path: string, copy: string): Promise<void> {
  await copyFile(path, copy)
  await truncate(path)
}

describe('nothing is missing from a file', () => {
  test.each([
    'audit.jsonl.1',
    'audit.jsonl-20261123',
    'audit-20261123.jsonl',
    'audit.jsonl.2026-11-23T10:00:00Z',
  ])('that is renamed to %s', async name => {
    const { dir, path, sink, missing, health, log } = await setUp()
    await write(sink, 'a', 'b')
    await rename(path, join(dir, name))
    await sink.check?.()
    await write(sink, 'c')
    await sink.close()
    expect([missing(), health.degraded()]).toEqual([[], []])
    expect(eventsOf(log)).toEqual(['audit_file_started'])
    expect(await verifyFiles([join(dir, name), path])).toMatchObject({ ok: true, records: 3 })
  })

  test('that is moved to another folder of its disk', async () => {
    const { dir, path, sink, missing } = await setUp()
    await write(sink, 'a')
    await mkdir(join(dir, 'old'))
    await rename(path, join(dir, 'old', 'x'))
    await write(sink, 'b')
    await sink.close()
    expect(missing()).toEqual([])
    expect(await verifyFiles([join(dir, 'old', 'x'), path])).toMatchObject({ ok: true, records: 2 })
  })

  test('that is copied and emptied while nothing is written', async () => {
    const { path, rotated, sink, missing, log } = await setUp()
    await write(sink, 'a', 'b')
    await copyAndEmpty(path, rotated)
    await sink.check?.()
    await write(sink, 'c', 'd')
    await sink.close()
    expect([missing(), eventsOf(log)]).toEqual([[], ['audit_file_started']])
    expect(await idsOf(path)).toEqual(['c', 'd'])
    expect(await verifyFiles([rotated, path])).toMatchObject({ ok: true, records: 4 })
  })

  test('that was renamed and its text replaced: the next file begins all the same', async () => {
    const { path, rotated, sink, missing } = await setUp()
    const lost = await write(sink, 'a')
    await rename(path, rotated)
    await writeFile(rotated, 'x'.repeat(5 * 1024 * 1024))
    await write(sink, 'b')
    expect(await idsOf(path)).toEqual(['b'])
    expect(missing()).toEqual([lost])
    await sink.close()
  })
})

describe('a missing record is reported', () => {
  test('if it was written after the copy and before the file was emptied, and again each minute', async () => {
    const { path, rotated, sink, missing, health, log } = await setUp()
    await write(sink, 'a')
    await copyFile(path, rotated)
    const lost = await write(sink, 'b')
    await truncate(path)
    await write(sink, 'c')
    expect([missing(), health.degraded()]).toEqual([[lost], ['log']])
    expect(log.lines.find(({ fields }) => fields.event === 'audit_tail_missing')?.level).toBe('error')
    await sink.check?.()
    await write(sink, 'd')
    await sink.check?.()
    expect([missing(), health.degraded()]).toEqual([[lost, lost, lost], ['log']])
    await sink.close()
    expect(await verifyFiles([rotated, path])).toMatchObject({
      ok: false,
      file: path,
      line: 1,
      problem: `records are missing between ${rotated}, which ends with ${JSON.parse((await linesOf(rotated))[0] ?? '').hash}, and this file, which continues ${lost}: a file was left out or cut off, or it was emptied while jeton wrote to it`,
    })
  })

  test('by the check of each minute, even if nobody asks for a token', async () => {
    const { path, sink, missing } = await setUp()
    const lost = await write(sink, 'a')
    await truncate(path)
    expect(missing()).toEqual([])
    await sink.check?.()
    expect(missing()).toEqual([lost])
    await sink.close()
  })

  test('until it is found beside the file', async () => {
    const { path, rotated, sink, missing, health, log } = await setUp()
    const lost = await write(sink, 'a')
    await copyFile(path, join(path, '..', 'elsewhere'))
    await truncate(path)
    await sink.check?.()
    await copyFile(join(path, '..', 'elsewhere'), rotated)
    await sink.check?.()
    await sink.check?.()
    expect([missing(), health.degraded()]).toEqual([[lost], []])
    expect(eventsOf(log)).toEqual(['audit_tail_missing', 'audit_file_started', 'audit_tail_found'])
    await sink.close()
  })

  test('if the file is emptied between the look at it and the write that follows', async () => {
    const { path, rotated, disk, sink, missing } = await setUp()
    await write(sink, 'a')
    await copyFile(path, rotated)
    const lost = await write(sink, 'b')
    disk.beforeWrite = () => truncate(path)
    await write(sink, 'c')
    expect(missing()).toEqual([])
    await sink.check?.()
    expect(missing()).toEqual([lost])
    expect(await idsOf(path)).toEqual(['c'])
    await sink.close()
  })

  test('and not the record that is in the file, if it is emptied so', async () => {
    const { path, rotated, disk, sink, missing } = await setUp()
    await write(sink, 'a')
    await copyFile(path, rotated)
    disk.beforeWrite = () => truncate(path)
    await write(sink, 'b')
    await sink.check?.()
    await write(sink, 'c')
    expect(missing()).toEqual([])
    await sink.close()
    expect(await verifyFiles([rotated, path])).toMatchObject({ ok: true, records: 3 })
  })

  test('if only the end was cut off', async () => {
    const { path, sink, missing } = await setUp()
    await write(sink, 'a')
    const lost = await write(sink, 'b', 'c')
    await truncate(path, Buffer.byteLength(`${(await linesOf(path))[0]}\n`))
    await write(sink, 'd')
    await sink.close()
    expect(missing()).toContain(lost)
    expect(await verifyFiles([path])).toMatchObject({ ok: false, line: 2 })
  })

  test('if the file was changed and is as long as before', async () => {
    const { path, sink, missing } = await setUp()
    const lost = await write(sink, 'a', 'b')
    const text = await readFile(path, 'utf8')
    await writeFile(path, `${text.slice(0, -30)}${'x'.repeat(29)}\n`)
    await write(sink, 'c')
    await sink.close()
    expect(missing()).toEqual([lost])
  })

  test('if the file was removed', async () => {
    const { path, sink, missing, log } = await setUp()
    const lost = await write(sink, 'a')
    await rm(path)
    await write(sink, 'b')
    await sink.close()
    expect(missing()).toEqual([lost])
    expect(eventsOf(log)).toContain('audit_file_started')
    expect(await verifyFiles([path], { after: lost })).toMatchObject({ ok: true })
  })

  test('if the file was emptied after a write that failed', async () => {
    const { path, disk, sink, missing } = await setUp()
    const lost = await write(sink, 'a')
    disk.fault = 'write'
    await expect(sink.append([line('b')])).rejects.toThrow()
    disk.fault = 'none'
    await truncate(path)
    await write(sink, 'c')
    await sink.close()
    expect(missing()).toEqual([lost])
  })

  test.each([
    ['cut off', (path: string, first: string) => writeFile(path, `${first}\n`)],
    ['emptied', (path: string) => truncate(path)],
    ['removed', (path: string) => rm(path)],
  ])('at the start, if the file was %s while jeton was down', async (_, damage) => {
    const { path, openSink, sink, missing, health } = await setUp()
    const lost = await write(sink, 'a', 'b')
    await sink.close()
    await damage(path, (await linesOf(path))[0] ?? '')
    const restarted = await openSink()
    expect([missing(), health.degraded()]).toEqual([[lost], ['log']])
    await restarted.check?.()
    expect(missing()).toEqual([lost, lost])
    await restarted.close()
  })

  test('and not at the start, if the file was rotated while jeton was down', async () => {
    const { path, rotated, openSink, sink, missing } = await setUp()
    await write(sink, 'a', 'b')
    await sink.close()
    await rename(path, rotated)
    const restarted = await openSink()
    await write(restarted, 'c')
    await restarted.close()
    expect(missing()).toEqual([])
    expect(await verifyFiles([rotated, path])).toMatchObject({ ok: true, records: 3 })
  })
})

test.each(['', '{"type":"jeton.audit","v":1'])(
  'the chain continues from what a killed process wrote last, even if the file was then renamed (torn: %j)',
  async torn => {
    const { path, rotated, openSink, sink, missing } = await setUp()
    const keptHead = await write(sink, 'a')
    await write(sink, 'b')
    await sink.close()
    // killed before it could keep the hash of its last batch
    await writeFile(`${path}.head`, `${keptHead}\n`)
    await appendFile(path, torn)
    await rename(path, rotated)
    const restarted = await openSink()
    await write(restarted, 'c')
    await restarted.close()
    expect(missing()).toEqual([])
    expect(await verifyFiles([rotated, path])).toMatchObject({ ok: true, recovered: torn === '' ? 0 : 1 })
  },
)

test('that a file begins is logged once, however many batches a full disk refuses', async () => {
  const { path, rotated, disk, sink, log } = await setUp()
  await write(sink, 'a')
  await rename(path, rotated)
  disk.fault = 'write'
  for (const id of ['b', 'c', 'd']) await expect(sink.append([line(id)])).rejects.toThrow('ENOSPC')
  disk.fault = 'none'
  await write(sink, 'e')
  await rename(path, `${path}.2`)
  await write(sink, 'f')
  await sink.close()
  expect(eventsOf(log)).toEqual(['audit_file_started', 'audit_file_started'])
})

/** Writes as a process that is killed before it keeps the hash of its last batch. */
async function writeAndBeKilled(path: string, sink: Sink, id: string): Promise<void> {
  const kept = await readFile(`${path}.head`)
  await write(sink, id)
  await sink.close()
  await writeFile(`${path}.head`, kept)
}

test('the chain continues from a file that a killed process had just begun, even if that was renamed too', async () => {
  const { path, rotated, openSink, sink, missing } = await setUp()
  await write(sink, 'a')
  await rename(path, `${path}.2`)
  await writeAndBeKilled(path, sink, 'b')
  await rename(path, rotated)
  const restarted = await openSink()
  await write(restarted, 'c')
  await restarted.close()
  expect(missing()).toEqual([])
  expect(await verifyFiles([`${path}.2`, rotated, path])).toMatchObject({ ok: true, records: 3 })
})

test('the chain continues from a file that was renamed, even if the next has nothing but a torn piece', async () => {
  const { path, rotated, openSink, sink } = await setUp()
  await write(sink, 'a')
  await writeAndBeKilled(path, sink, 'b')
  await rename(path, rotated)
  await writeFile(path, '{"type":"jeton.audit","v":1')
  const restarted = await openSink()
  await write(restarted, 'c')
  await restarted.close()
  expect(await verifyFiles([rotated, path])).toMatchObject({ ok: true, records: 4, recovered: 1 })
})

test('a check leaves a second writer to the next append, which rejects', async () => {
  const { path, sink, missing } = await setUp()
  await write(sink, 'a')
  await appendFile(path, 'stray\n')
  await sink.check?.()
  await expect(sink.append([line('b')])).rejects.toThrow('a second writer')
  await write(sink, 'c')
  await sink.check?.()
  await sink.close()
  await sink.check?.()
  expect(missing()).toEqual([])
})
