import { execFileSync } from 'node:child_process'
import {
  appendFile,
  copyFile,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { append, GENESIS, readLink } from '../../../src/audit/file/hash-chain.ts'
import { openFileSink } from '../../../src/audit/file/sink.ts'
import { verifyFiles } from '../../../src/audit/file/verify.ts'
import { createHealth } from '../../../src/telemetry/health.ts'
import { describeSink } from '../../contracts/sinks.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { createLogRecorder } from '../../support/service/log-recorder.ts'
import { GOLDEN } from '../golden.ts'
import { folder, idsOf, line, linesOf } from '../support.ts'
import { EXT4, failingOpen, NFS } from './failing-open.ts'

async function setUp(type = EXT4) {
  const dir = await folder()
  const path = join(dir, 'audit.jsonl')
  const log = createLogRecorder()
  const health = createHealth()
  const { disk, ...calls } = failingOpen(type)
  const openSink = (now?: number) => openFileSink({ path, clock: virtualClock(now), health, log, ...calls })
  /** Opens, writes a batch for each record and closes, as a process that runs for a while; returns the head hash. */
  const run = async (...ids: string[]) => {
    const sink = await openSink()
    for (const id of ids) await sink.append([line(id)])
    await sink.close()
    return sink.headHash()
  }
  const ids = async (file = path) =>
    (await linesOf(file))
      .filter(text => readLink(Buffer.from(text))?.isIntact)
      .flatMap(text => JSON.parse(text).id ?? [])
  return { dir, path, log, health, disk, openSink, run, ids, rotated: join(dir, 'audit.jsonl.1') }
}

describeSink('file', async () => {
  const { path, disk, openSink } = await setUp()
  return {
    sink: await openSink(),
    ids: () => idsOf(path),
    breakDown() {
      disk.fault = 'write'
    },
    repair() {
      disk.fault = 'none'
    },
  }
})

test('openFileSink writes the bytes that it always did, to the file and its head file', async () => {
  const { path, openSink } = await setUp()
  const sink = await openSink()
  await sink.append([GOLDEN.vendedLine, GOLDEN.refusedLine])
  await sink.close()
  expect(await readFile(path, 'utf8')).toBe(`${GOLDEN.vendedChained}\n${GOLDEN.refusedChained}\n`)
  expect(await readFile(`${path}.head`, 'utf8')).toBe(`${GOLDEN.refusedHash}\n`)
})

test('openFileSink continues what an older jeton wrote, torn lines included', async () => {
  const { path, openSink, log } = await setUp()
  await writeFile(path, `${GOLDEN.vendedChained}\n${GOLDEN.refusedChained}\n${GOLDEN.tornText}`)
  await writeFile(`${path}.head`, `${GOLDEN.refusedHash}\n`)
  const sink = await openSink(Date.parse(GOLDEN.recoveredTime))
  expect(sink.headHash()).toBe(GOLDEN.refusedHash)
  await sink.append([line('next')])
  await sink.close()
  expect((await linesOf(path)).slice(2, 4)).toEqual([GOLDEN.tornText, GOLDEN.recoveredChained])
  expect(await verifyFiles([path])).toMatchObject({ ok: true, records: 4, recovered: 1 })
  expect(log.lines).toEqual([])
})

test('openFileSink creates the file for its owner alone and never truncates it', async () => {
  const { path, run, ids } = await setUp()
  await run('a')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await stat(`${path}.head`)).mode & 0o777).toBe(0o600)
  const before = await readFile(path, 'utf8')
  await run('b')
  expect(await readFile(path, 'utf8')).toMatch(before)
  expect(await ids()).toEqual(['a', 'b'])
})

test('openFileSink continues the chain across restarts, and headHash is its last hash', async () => {
  const { path, run, log } = await setUp()
  await run('a', 'b')
  const last = await run('c')
  expect(await verifyFiles([path], { expectLast: last })).toEqual({
    ok: true,
    records: 3,
    last,
    recovered: 0,
  })
  expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([])
})

describe.each([
  ['ext4', EXT4],
  ['NFS', NFS],
])('on %s, append', (_, type) => {
  test('syncs once for each batch and resolves after the sync', async () => {
    const { disk, openSink } = await setUp(type)
    const sink = await openSink()
    await sink.append([line('first')])
    const { syncs } = disk
    await sink.append(Array.from({ length: 50 }, (_, i) => line(`r${i}`)))
    expect([disk.syncs - syncs, disk.unsynced]).toEqual([1, 0])
    let release = () => {}
    disk.hold = new Promise(resolve => {
      release = resolve
    })
    let isBack = false
    const append = sink.append([line('held')]).then(() => {
      isBack = true
    })
    while (disk.syncs < syncs + 2) await new Promise(resolve => setImmediate(resolve))
    for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
    expect(isBack).toBe(false)
    release()
    await append
    await sink.close()
  })

  test.each(['write', 'half-write', 'sync'] as const)(
    'syncs what a failed %s left before the records that follow on it',
    async fault => {
      const { path, disk, openSink, ids } = await setUp(type)
      const sink = await openSink()
      await sink.append([line('a')])
      disk.fault = fault
      await expect(sink.append([line('b')])).rejects.toThrow(/ENOSPC|EIO/)
      disk.fault = 'none'
      await sink.append([line('c')])
      expect(disk.unsynced).toBe(0)
      await sink.close()
      expect((await ids()).at(-1)).toBe('c')
      expect(await verifyFiles([path])).toMatchObject({ ok: true })
    },
  )

  test('syncs what a killed process may have left unsynced', async () => {
    const { disk, openSink, run } = await setUp(type)
    await run('a')
    disk.unsynced = 100
    const sink = await openSink()
    await sink.append([line('b')])
    expect(disk.unsynced).toBe(0)
    await sink.close()
  })

  test.each(['write', 'half-write', 'sync'] as const)(
    'rejects after a failed %s, and the next one continues the chain',
    async fault => {
      const { path, disk, openSink, ids } = await setUp(type)
      const sink = await openSink()
      await sink.append([line('a')])
      disk.fault = fault
      for (const id of ['b', 'c'])
        await expect(sink.append([line(id), line(`${id}2`)])).rejects.toThrow(/ENOSPC|EIO/)
      disk.fault = 'none'
      await sink.append([line('d')])
      await sink.close()
      const written = await ids()
      expect([written[0], written.at(-1)]).toEqual(['a', 'd'])
      expect(await verifyFiles([path], { expectLast: sink.headHash() })).toMatchObject({
        ok: true,
        last: sink.headHash(),
      })
    },
  )

  test('keeps the hash of no batch beside the file that is not on the disk', async () => {
    const { path, disk, openSink } = await setUp(type)
    const sink = await openSink()
    await sink.append([line('a')])
    const head = sink.headHash()
    disk.fault = 'sync'
    await expect(sink.append([line('b')])).rejects.toThrow('EIO')
    await sink.close()
    expect(await readFile(`${path}.head`, 'utf8')).toBe(`${head}\n`)
  })
})

test('openFileSink keeps a last record that lacks only its newline', async () => {
  const { path, run, ids } = await setUp()
  await run('a', 'b')
  await truncate(path, (await stat(path)).size - 1)
  await run('c')
  expect(await ids()).toEqual(['a', 'b', 'c'])
  expect(await verifyFiles([path])).toMatchObject({ ok: true, records: 3, recovered: 0 })
})

test('openFileSink continues a file torn anywhere, loses no intact record, and the file verifies', async () => {
  const { path, run, ids, log } = await setUp()
  await run('a', 'b', 'c')
  const whole = await readFile(path)
  const starts = [0, whole.indexOf(10) + 1, whole.indexOf(10, whole.indexOf(10) + 1) + 1, whole.length]
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async cut => {
      await writeFile(path, whole.subarray(0, cut))
      await rm(`${path}.head`, { force: true })
      await run('next', 'then')
      const kept = starts.filter(start => start > 0 && start - 1 <= cut).length
      expect(await ids()).toEqual([...['a', 'b', 'c'].slice(0, kept), 'next', 'then'])
      expect(await verifyFiles([path])).toMatchObject({ ok: true })
      expect((await readFile(path)).subarray(0, cut)).toEqual(whole.subarray(0, cut))
    }),
    { numRuns: 60 },
  )
  expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
})

test('openFileSink acknowledges an acknowledgement that was torn itself', async () => {
  const { path, run, ids } = await setUp()
  await run('a')
  await appendFile(path, '{"type":"jet')
  await run('b')
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.slice(0, text.indexOf('jeton.audit.recovered') + 40))
  await run('c')
  expect(await ids()).toEqual(['a', 'c'])
  expect(await verifyFiles([path])).toMatchObject({ ok: true, recovered: 1 })
})

test('a renamed file is continued in a new file at the path, in one chain', async () => {
  const { path, rotated, openSink, ids } = await setUp()
  const sink = await openSink()
  await sink.append([line('a')])
  await rename(path, rotated)
  await sink.append([line('b')])
  await sink.close()
  expect([await ids(rotated), await ids()]).toEqual([['a'], ['b']])
  expect(await verifyFiles([rotated, path])).toMatchObject({ ok: true, records: 2, last: sink.headHash() })
  expect(await verifyFiles([path])).toMatchObject({ ok: false, line: 1 })
})

test('a file renamed after a half-written batch has its torn piece acknowledged in the new file', async () => {
  const { path, rotated, disk, openSink } = await setUp()
  const sink = await openSink()
  await sink.append([line('a')])
  disk.fault = 'half-write'
  await expect(sink.append([line('b')])).rejects.toThrow()
  await rename(path, rotated)
  disk.fault = 'write'
  await expect(sink.append([line('c')])).rejects.toThrow()
  disk.fault = 'none'
  await sink.append([line('d')])
  await sink.close()
  expect(await verifyFiles([rotated, path])).toMatchObject({ ok: true, records: 3, recovered: 1 })
})

test('a file copied and emptied in place is continued in one chain', async () => {
  const { path, rotated, openSink, ids } = await setUp()
  const sink = await openSink()
  await sink.append([line('a'), line('b')])
  await copyFile(path, rotated)
  await truncate(path, 0)
  await sink.append([line('c')])
  await sink.append([line('d')])
  await sink.close()
  expect(await ids()).toEqual(['c', 'd'])
  expect(await verifyFiles([rotated, path])).toMatchObject({ ok: true, records: 4 })
})

test('a file rotated while jeton was down is continued from the head file', async () => {
  const { path, rotated, run } = await setUp()
  await run('a', 'b')
  await rename(path, rotated)
  await run('c')
  expect(await verifyFiles([rotated, path])).toMatchObject({ ok: true, records: 3 })
})

test('a file cut in place does not verify, and a warning says so', async () => {
  const { path, log, openSink } = await setUp()
  const sink = await openSink()
  for (const id of ['a', 'b', 'c']) await sink.append([line(id)])
  const [first] = await linesOf(path)
  await truncate(path, Buffer.byteLength(`${first}\n`))
  await sink.append([line('d')])
  await sink.close()
  expect(await verifyFiles([path])).toMatchObject({ ok: false, line: 2 })
  expect(log.lines.map(({ level }) => level)).toContain('warn')
})

test('a second writer fails one batch, and the next record acknowledges what it wrote', async () => {
  const { path, openSink, ids } = await setUp()
  const sink = await openSink()
  await sink.append([line('a')])
  await appendFile(path, 'stray\n')
  await expect(sink.append([line('b')])).rejects.toThrow(`${path}: a second writer`)
  await sink.append([line('c')])
  await sink.close()
  expect(await ids()).toEqual(['a', 'c'])
  expect(await verifyFiles([path])).toMatchObject({ ok: true, recovered: 1 })
})

test('a second writer that cuts and fills up cannot hide what it cut', async () => {
  const { path, openSink } = await setUp()
  const sink = await openSink()
  for (const id of ['a', 'b', 'c']) await sink.append([line(id)])
  const [first] = await linesOf(path)
  await writeFile(path, `${first}\n${'x'.repeat(5000)}\n`)
  await expect(sink.append([line('d')])).rejects.toThrow('second writer')
  await sink.append([line('e')])
  await sink.close()
  expect(await verifyFiles([path])).toMatchObject({ ok: false, line: 3 })
})

test('a second writer that continues the chain forks it, which shows', async () => {
  const { path, openSink } = await setUp()
  const sink = await openSink()
  await sink.append([line('a')])
  await appendFile(path, `${append(line('b'), sink.headHash() ?? GENESIS).line}\n`)
  await expect(sink.append([line('c')])).rejects.toThrow('second writer')
  await sink.append([line('d')])
  await sink.close()
  expect(await verifyFiles([path])).toMatchObject({ ok: false, line: 3 })
})

test('openFileSink rejects a file that is not an audit file, and leaves neither lock nor change behind', async () => {
  const { path, openSink, dir } = await setUp()
  await writeFile(path, 'x\n'.repeat(3 * 1024 * 1024))
  await expect(openSink()).rejects.toThrow(`${path}: no audit record`)
  expect((await stat(path)).size).toBe(6 * 1024 * 1024)
  await rm(path)
  await mkdir(path)
  await expect(openSink()).rejects.toThrow(path)
  await rm(path, { recursive: true })
  await (await openSink()).close()
  await expect(
    openFileSink({
      path: join(dir, 'none', 'a'),
      clock: virtualClock(),
      health: createHealth(),
      log: createLogRecorder(),
    }),
  ).rejects.toThrow(/none/)
  await expect(
    openFileSink({
      path: '/dev/null',
      clock: virtualClock(),
      health: createHealth(),
      log: createLogRecorder(),
    }),
  ).rejects.toThrow('not a regular file')
})

test.each([
  ['a folder', (path: string) => mkdir(path)],
  ['a pipe, which would never end', async (path: string) => void execFileSync('mkfifo', [path])],
])(
  'openFileSink writes without a head file that it cannot keep, and warns once: %s',
  async (_what, plant) => {
    const { path, run, log } = await setUp()
    await plant(`${path}.head`)
    await run('a', 'b')
    expect(await verifyFiles([path])).toMatchObject({ ok: true, records: 2 })
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  },
)

test('overlapping batches are written one after the other, and none after close', async () => {
  const { path, openSink, ids } = await setUp()
  const sink = await openSink()
  await Promise.all(['a', 'b', 'c'].map(id => sink.append([line(id)])))
  await Promise.all([sink.append([line('d')]), sink.close()])
  await expect(sink.append([line('e')])).rejects.toThrow('closed')
  expect(await ids()).toEqual(['a', 'b', 'c', 'd'])
  expect(await verifyFiles([path])).toMatchObject({ ok: true })
})
