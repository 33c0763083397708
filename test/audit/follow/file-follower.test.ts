import {
  appendFile,
  chmod,
  copyFile,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { MAX_LINE_BYTES, renderRecovered } from '../../../src/audit/file/hash-chain.ts'
import { followFile } from '../../../src/audit/follow/file-follower.ts'
import { endPosition } from '../../../src/audit/follow/file-places.ts'
import type { FilePosition } from '../../../src/audit/follow/follower.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { chained } from '../file/chained.ts'
import { folder, line, NOON } from '../support.ts'
import { createGrowingLog } from './growing-log.ts'

async function setUp() {
  const dir = await folder()
  const path = join(dir, 'audit.jsonl')
  const missing: string[] = []
  const unreadable: string[] = []
  const start = (timeMs = 0): FilePosition => ({
    file: path,
    offset: 0,
    time: new Date(timeMs).toISOString(),
  })

  async function follow(position: FilePosition) {
    const follower = await followFile({
      path,
      position,
      onMissing: ({ file }) => void missing.push(file),
      onUnreadable: ({ problem }) => void unreadable.push(problem),
    })
    onTestFinished(() => follower.close())
    let last = position
    return {
      follower,
      /** Reads what is there. */
      async ids(limit = 100) {
        const batch = await follower.next(limit)
        last = batch.positionAfter(batch.records.length)
        return batch.records.map(({ record }) => record.id)
      },
      position: () => last,
    }
  }

  return { dir, path, log: createGrowingLog(), missing, unreadable, start, follow }
}

async function compress(path: string): Promise<void> {
  await writeFile(`${path}.gz`, await promisify(gzip)(await readFile(path)))
  await rm(path)
}

async function copyAndEmpty(path: string, copy: string): Promise<void> {
  await copyFile(path, copy)
  await truncate(path)
}

describe('followFile', () => {
  test('returns what is there, then what is written, each once, and positions for each', async () => {
    const { path, log, start, follow, missing, unreadable } = await setUp()
    await log.write(path, 'a', 'b', 'c')
    const { follower, ids, position } = await follow(start())
    const batch = await follower.next(2)
    expect(batch.records.map(({ record }) => record.id)).toEqual(['a', 'b'])
    expect(await (await follow(batch.positionAfter(1))).ids()).toEqual(['b', 'c'])
    expect(await ids()).toEqual(['c'])
    expect(await ids()).toEqual([])
    await log.write(path, 'd')
    expect(await ids()).toEqual(['d'])
    expect(position()).toMatchObject({ file: path, offset: (await stat(path)).size })
    expect([missing, unreadable]).toEqual([[], []])
  })

  test('waits for a file that is not there yet, and for the end of a line', async () => {
    const { path, log, start, follow, unreadable } = await setUp()
    const { ids } = await follow(start())
    expect(await ids()).toEqual([])
    const other = `${path}-other`
    await log.write(other, 'a')
    const text = await readFile(other)
    await rm(other)
    await writeFile(path, text.subarray(0, 100))
    expect(await ids()).toEqual([])
    await appendFile(path, text.subarray(100))
    expect(await ids()).toEqual(['a'])
    expect(unreadable).toEqual([])
  })

  test('begins at a time, or behind what is there', async () => {
    const { path, log, start, follow } = await setUp()
    await log.write(path, 'a', 'b', 'c')
    const end = await endPosition(path, NOON)
    expect(await (await follow(start(NOON + 1000))).ids()).toEqual(['b', 'c'])
    const { ids } = await follow(end)
    await log.write(path, 'd')
    expect(await ids()).toEqual(['d'])
  })

  test.each([
    ['nothing is there yet', []],
    ['it was just rotated', ['1']],
    ['a piece of it is torn', ['', 'torn']],
    ['it was rotated and compressed', ['1', 'gz']],
  ])('begins behind what is there if %s', async (_, [suffix, how]) => {
    const { path, log, follow, missing } = await setUp()
    const file = suffix ? `${path}.${suffix}` : path
    if (suffix !== undefined) await log.write(file, 'a', 'b')
    if (how === 'torn') await appendFile(file, '{"torn')
    if (how === 'gz') await compress(file)
    // a clock that is ahead of that of the records
    const end = await endPosition(path, NOON + 60_000)
    const { ids } = await follow(end)
    expect(await ids()).toEqual([])
    if (how === 'torn') await appendFile(file, '\n')
    await log.write(path, 'c')
    expect(await ids()).toEqual(['c'])
    expect(missing).toEqual([])
  })

  test('opens the log for reading alone', async () => {
    const { path, log, start, follow } = await setUp()
    await log.write(path, 'a')
    await chmod(path, 0o400)
    const before = await stat(path)
    expect(await (await follow(start())).ids()).toEqual(['a'])
    const after = await stat(path)
    expect([after.mtimeMs, after.size]).toEqual([before.mtimeMs, before.size])
  })
})

describe('nothing is missed of a log', () => {
  test.each(['audit.jsonl.1', 'audit-20261123.jsonl'])(
    'that is renamed to %s while it is followed',
    async name => {
      const { dir, path, log, start, follow, missing } = await setUp()
      await log.write(path, 'a')
      const { ids } = await follow(start())
      expect(await ids()).toEqual(['a'])
      await log.write(path, 'b')
      await rename(path, join(dir, name))
      expect(await ids()).toEqual(['b'])
      // a batch that jeton was just writing
      await log.write(join(dir, name), 'c')
      expect(await ids()).toEqual(['c'])
      await log.write(join(dir, name), 'd')
      await log.write(path, 'e')
      expect(await ids()).toEqual(['d', 'e'])
      expect(missing).toEqual([])
    },
  )

  test('that was rotated twice, torn and removed meanwhile', async () => {
    const { dir, path, log, start, follow, missing } = await setUp()
    await log.write(path, 'a')
    const { ids } = await follow(start())
    expect(await ids()).toEqual(['a'])
    await rename(path, join(dir, 'audit.jsonl.2'))
    await appendFile(join(dir, 'audit.jsonl.2'), '{"torn')
    await log.write(join(dir, 'audit.jsonl.1'), 'b')
    await rm(join(dir, 'audit.jsonl.2'))
    await log.write(path, 'c')
    expect(await ids()).toEqual(['b', 'c'])
    expect(missing).toEqual([])
  })

  test('that is copied and emptied, before and after the rest of it was read', async () => {
    const { path, log, start, follow, missing } = await setUp()
    await log.write(path, 'a')
    const { ids } = await follow(start())
    expect(await ids()).toEqual(['a'])
    await log.write(path, 'b')
    await copyAndEmpty(path, `${path}.2`)
    expect(await ids()).toEqual(['b'])
    await log.write(path, 'c')
    expect(await ids()).toEqual(['c'])
    await copyAndEmpty(path, `${path}.1`)
    // longer than it was before
    await log.write(path, 'd', 'e', 'f')
    expect(await ids()).toEqual(['d', 'e', 'f'])
    expect(missing).toEqual([])
  })

  test('that was rotated, compressed and emptied while nobody followed it', async () => {
    const { dir, path, log, start, follow, missing } = await setUp()
    const names = [4, 3, 2, 1].map(number => join(dir, `audit.jsonl.${number}`))
    for (const [index, name] of names.entries()) await log.write(name, `${index}a`, `${index}b`)
    await log.write(path, 'x')
    for (const name of names.slice(0, 3)) await compress(name)
    const all = ['0a', '0b', '1a', '1b', '2a', '2b', '3a', '3b', 'x']
    const first = await follow(start())
    for (const [index] of all.entries()) {
      expect(await first.ids(1)).toEqual([all[index]])
      expect(await (await follow(first.position())).ids()).toEqual(all.slice(index + 1))
    }
    expect(missing).toEqual([])
  })

  test('whose file the cursor ended in is gone, for it was read to its end', async () => {
    const { dir, path, log, start, follow, missing } = await setUp()
    await log.write(path, 'a')
    const { ids, position } = await follow(start())
    await ids()
    await rename(path, join(dir, 'gone'))
    await log.write(join(dir, 'audit.jsonl.1'), 'b')
    await log.write(path, 'c')
    expect(await (await follow(position())).ids()).toEqual(['b', 'c'])
    expect(missing).toEqual([])
  })

  test('that is being compressed, so that a part of it is there twice', async () => {
    const { path, log, start, follow, missing, unreadable } = await setUp()
    await log.write(`${path}.1`, 'a', 'b')
    const packed = await promisify(gzip)(await readFile(`${path}.1`))
    await writeFile(`${path}.1.gz`, packed.subarray(0, packed.length - 20))
    await log.write(path, 'c')
    expect(await (await follow(start())).ids()).toEqual(['a', 'b', 'c'])
    expect([missing, unreadable]).toEqual([[], []])
  })
})

test('a long log is left out by its time in parts, and a cursor does not lead into it', async () => {
  const { path, log, start, follow } = await setUp()
  await log.write(path, ...Array.from({ length: 50_001 }, (_, index) => `${index}`), 'wanted')
  const position = start(NOON + 50_001_000)
  const { follower } = await follow(position)
  const first = await follower.next(10)
  expect([first.records, first.isAtEnd, first.positionAfter(0)]).toEqual([[], false, position])
  const second = await follower.next(10)
  expect([second.records.map(({ record }) => record.id), second.isAtEnd]).toEqual([['wanted'], true])
})

test('a file that was renamed, and then cut off, ends nothing', async () => {
  const { path, log, start, follow, missing } = await setUp()
  await log.write(path, 'a', 'b')
  const { ids } = await follow(start())
  expect(await ids()).toEqual(['a', 'b'])
  await rename(path, `${path}.1`)
  await truncate(`${path}.1`, 10)
  await appendFile(`${path}.1`, `${'x\n'.repeat(5000)}`)
  await log.write(path, 'c')
  expect(await ids()).toEqual(['c'])
  expect(missing).toEqual([])
})

describe('it is said, and goes on, that', () => {
  test('a whole file is missing', async () => {
    const { path, log, start, follow, missing } = await setUp()
    await log.write(path, 'a')
    const { ids, position } = await follow(start())
    expect(await ids()).toEqual(['a'])
    await rename(path, `${path}.2`)
    log.lose('b')
    await log.write(path, 'c')
    expect(await ids()).toEqual(['c'])
    expect(missing).toEqual([path])
    expect(await (await follow(position())).ids()).toEqual([])
    expect(missing).toHaveLength(1)
  })

  test('a file is missing, and nothing of another log beside it is taken for that', async () => {
    const { dir, path, log, start, follow, missing } = await setUp()
    const other = join(dir, 'audit-b.jsonl')
    await log.write(path, 'a')
    await createGrowingLog(NOON + 1500).write(other, 'other')
    const { ids, position } = await follow(start(NOON + 60_000))
    expect(await ids()).toEqual([])
    await rm(path)
    log.lose('b')
    await createGrowingLog(NOON + 120_000).write(`${path.slice(0, -6)}-c.jsonl`, 'other')
    await log.write(path, 'c')
    const { ids: again } = await follow({ ...position(), time: new Date(NOON).toISOString() })
    expect(await again()).toEqual(['c'])
    expect(missing).toEqual([path])
  })

  test('the file was cut off and the end is gone', async () => {
    const { path, log, start, follow, missing } = await setUp()
    await log.write(path, 'a', 'b')
    const { ids } = await follow(start())
    await ids()
    await truncate(path, 40)
    log.lose('c')
    await log.write(path, 'd', 'e')
    // the piece that is left hides the record behind it
    expect(await ids()).toEqual(['e'])
    expect(missing).toEqual([path])
  })

  test('another chain is in its place', async () => {
    const { path, log, start, follow, missing } = await setUp()
    await log.write(path, 'a', 'b')
    const { ids, position } = await follow(start())
    await ids()
    await rm(path)
    await createGrowingLog(NOON + 60_000).write(path, 'x', 'y', 'z')
    expect(await ids()).toEqual(['x', 'y', 'z'])
    expect(missing).toEqual([path])
    await rm(path)
    await createGrowingLog(NOON + 120_000).write(path, 'm')
    expect(await (await follow(position())).ids()).toEqual(['m'])
    expect(missing).toEqual([path, path])
  })

  test('a record was changed, one dropped, a line is none or too long', async () => {
    const { path, log, start, follow, missing, unreadable } = await setUp()
    await log.write(path, 'a', 'b')
    await writeFile(path, (await readFile(path, 'utf8')).replace('"id":"b"', '"id":"B"'))
    log.lose('c')
    await appendFile(path, `no JSON\n${'x'.repeat(MAX_LINE_BYTES + 1)}\n`)
    await log.write(path, 'd')
    expect(await (await follow(start())).ids()).toEqual(['a', 'B', 'd'])
    expect(missing).toEqual([path])
    expect(unreadable).toEqual([
      'the record was changed: its hash is another',
      'not a record of the hash chain',
      'too long for a record',
    ])
  })

  test('a compressed file is broken', async () => {
    const { path, log, start, follow, missing, unreadable } = await setUp()
    const ids = Array.from({ length: 3000 }, (_, index) => `${index}-${sha256Hex(`${index}`)}`)
    await log.write(`${path}.1`, ...ids)
    const packed = await promisify(gzip)(await readFile(`${path}.1`))
    await writeFile(`${path}.1.gz`, packed.subarray(0, packed.length / 2))
    await rm(`${path}.1`)
    await log.write(path, 'z')
    const found = await (await follow(start())).ids(10_000)
    expect(found.at(0)).toBe(ids[0])
    expect(found.at(-1)).toBe('z')
    expect([missing, unreadable.length]).toEqual([[path], 1])
  })
})

test('what jeton writes for a torn piece is no record, and no fault', async () => {
  const { path, start, follow, missing, unreadable } = await setUp()
  const torn = '{"torn'
  const recovered = renderRecovered(
    { bytes: torn.length, sha256: sha256Hex(torn) },
    '2026-11-23T10:00:00.000Z',
  )
  const [first, ...rest] = chained([line('a'), recovered, line('b')])
  await writeFile(path, `${[first, torn, ...rest].join('\n')}\n`)
  expect(await (await follow(start())).ids()).toEqual(['a', 'b'])
  expect([missing, unreadable]).toEqual([[], ['not a record of the hash chain']])
})

test('what is no file at the path is said, and does not hang', async () => {
  const { path, start, follow } = await setUp()
  const { execFile } = await import('node:child_process')
  await promisify(execFile)('mkfifo', [path])
  await expect(follow(start())).rejects.toThrow(`${path}: not a regular file`)
})
