import { appendFile, copyFile, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { searchAndFollowFiles } from '../../../src/audit/follow/search-files.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import { collectIds, folder, NOON, recordAt } from '../support.ts'
import { createGrowingLog } from './growing-log.ts'

type Write = (path: string, ...ids: string[]) => Promise<void>

/** Records as a stdout sink prints them, all of one time. */
const writeUnchained: Write = (path, ...ids) =>
  appendFile(path, ids.map(id => `${renderRecord(recordAt(NOON, { id }))}\n`).join(''))

async function setUp(write: Write) {
  const path = join(await folder(), 'audit.jsonl')
  const notes: string[] = []
  async function open({ paths = [path], hasRotated = true } = {}) {
    const search = await searchAndFollowFiles({
      paths,
      hasRotated,
      now: () => NOON,
      onUnreadable: ({ lines }) => void notes.push(`${lines} unreadable`),
      onMissing: () => void notes.push('missing'),
    })
    onTestFinished(() => search.close())
    return {
      old: () => collectIds(search.source.all({})),
      async next(query = {}) {
        const ids: string[] = []
        for await (const records of search.readNew(query)) ids.push(...records.map(({ record }) => record.id))
        return ids
      },
    }
  }
  return { path, notes, write, open }
}

describe.each([
  ['with a hash chain', () => createGrowingLog().write],
  ['without one', () => writeUnchained],
])('of a log %s, each record is found once', (_, writer) => {
  test('while it is renamed, twice between two looks, and is written to after that', async () => {
    const { path, notes, write, open } = await setUp(writer())
    await write(`${path}.1`, 'a')
    await write(path, 'b')
    const { old, next } = await open()
    await write(path, 'c')
    expect(await old()).toEqual(['a', 'b'])
    expect(await next()).toEqual(['c'])
    await write(path, 'd')
    await rename(path, `${path}.2`)
    expect(await next()).toEqual(['d'])
    await write(`${path}.2`, 'e')
    await write(path, 'f')
    await rename(path, `${path}.3`)
    await writeFile(path, '')
    const found = await next()
    await write(path, 'g')
    expect([...found, ...(await next())]).toEqual(['e', 'f', 'g'])
    expect(await next()).toEqual([])
    expect(notes).toEqual([])
  })

  test('while it is copied and emptied, compressed and renamed back', async () => {
    const { path, notes, write, open } = await setUp(writer())
    await write(path, 'a', 'b')
    const { old, next } = await open()
    expect([await old(), await next()]).toEqual([['a', 'b'], []])
    for (const [round, ids] of [
      ['1', ['c', 'd']],
      ['2', ['g', 'h']],
    ] as const) {
      await write(path, ...ids)
      await copyFile(path, `${path}.${round}`)
      await truncate(path)
      // longer than it was
      const more = Array.from({ length: 9 }, (_, index) => `${round}-${index}`)
      await write(path, ...more)
      expect(await next()).toEqual([...ids, ...more])
      await writeFile(`${path}.${round}.gz`, gzipSync(await readFile(`${path}.${round}`)))
      await rm(`${path}.${round}`)
      expect(await next()).toEqual([])
    }
    await copyFile(path, `${path}.new`)
    await rename(`${path}.new`, path)
    expect(await next()).toEqual([])
    await write(path, 'y')
    expect(await next()).toEqual(['y'])
    expect(notes).toEqual([])
  })

  test('that has no file at first, or an empty one, and beside that of another', async () => {
    const { path, notes, write, open } = await setUp(writer())
    const other = createGrowingLog(NOON + 60_000)
    await other.write(`${path.slice(0, -6)}-b.jsonl`, 'other')
    const none = await open()
    await writeFile(path, '')
    const empty = await open()
    await write(path, 'a', 'b')
    for (const { old, next } of [none, empty]) {
      expect(await old()).toEqual([])
      expect(await next()).toEqual(['a', 'b'])
    }
    await rename(path, `${path}.1`)
    await other.write(`${path.slice(0, -6)}-c.jsonl`, 'other')
    await write(path, 'c')
    expect(await none.next({ id: 'c' })).toEqual(['c'])
    expect(await empty.next({ id: 'x' })).toEqual([])
    expect(notes).toEqual([])
  })

  test('in two files of it that are named both', async () => {
    const { path, write, open } = await setUp(writer())
    await write(`${path}.1`, 'a')
    await write(path, 'b')
    const { old, next } = await open({ paths: [path, `${path}.1`], hasRotated: false })
    expect(await old()).toEqual(['a', 'b'])
    await rename(`${path}.1`, `${path}.2`)
    await rename(path, `${path}.1`)
    await write(path, 'c')
    expect(await next()).toEqual(['c'])
    expect(await next()).toEqual([])
  })
})

test('lines that are no records are counted, and what is missing of a hash chain is said', async () => {
  const log = createGrowingLog()
  const { path, notes, open } = await setUp(log.write)
  await log.write(path, 'a')
  const { next } = await open()
  log.lose('b')
  await appendFile(path, 'no record\n{"torn')
  expect(await next()).toEqual([])
  await appendFile(path, '"\n')
  await log.write(path, 'c')
  expect(await next()).toEqual(['c'])
  expect(notes).toEqual(['1 unreadable', 'missing', '1 unreadable'])
})

test('what is no regular file is refused, and does not hang', async () => {
  const { path, open } = await setUp(writeUnchained)
  await mkdir(path)
  await expect(open()).rejects.toThrow(`${path}: not a regular file`)
})
