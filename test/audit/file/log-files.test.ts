import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { logFilesOf } from '../../../src/audit/file/log-files.ts'
import { createFileSource } from '../../../src/audit/file/source.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import { collectIds, folder, NOON, recordAt } from '../support.ts'

async function filesBeside(...names: string[]): Promise<{ names: string[]; unreadable: string[] }> {
  const path = join(await folder(), 'audit.jsonl')
  for (const name of names) await writeFile(join(path, '..', name), '')
  const { files, unreadable } = await logFilesOf(path)
  return {
    names: files.map(file => basename(file.path)).sort(),
    unreadable: unreadable.map(each => basename(each)),
  }
}

test('finds what logrotate and scripts rename a log to, and nothing of another log', async () => {
  const rotated = [
    'audit.jsonl',
    'audit.jsonl.1',
    'audit.jsonl.2.gz',
    'audit.jsonl-20261123',
    'audit.jsonl-20261122.gz',
    'audit.jsonl-2026112310-1732356000',
    'audit.jsonl.2026-11-23T10:00:00Z',
    'audit-20261123.jsonl',
    'audit.1.jsonl.gz',
  ]
  const others = [
    'audit.jsonl.head',
    'audit.jsonl.bak',
    'audit-b.jsonl',
    'auditors.txt',
    'audit.jsonl.1~',
    '.audit.jsonl.swp',
    'x-audit.jsonl.1',
    'audit2.jsonl',
  ]
  expect(await filesBeside(...rotated, ...others)).toEqual({ names: rotated.sort(), unreadable: [] })
})

test('counts a file once while it is compressed, and names what it cannot read', async () => {
  expect(
    await filesBeside(
      'audit.jsonl',
      'audit.jsonl.1',
      'audit.jsonl.1.gz',
      'audit.jsonl.2.zst',
      'audit.jsonl.1.xz',
    ),
  ).toEqual({ names: ['audit.jsonl', 'audit.jsonl.1'], unreadable: ['audit.jsonl.2.zst'] })
})

test('goes without the log itself just after a rotation, but names it if there is nothing at all', async () => {
  expect((await filesBeside('audit.jsonl.1')).names).toEqual(['audit.jsonl.1'])
  expect((await filesBeside()).names).toEqual(['audit.jsonl'])
  expect((await logFilesOf('/none/audit.jsonl')).files).toEqual([{ path: '/none/audit.jsonl' }])
})

test('a search reads no rotated file that can only have older records', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const day = 86_400_000
  const read: number[] = []
  const write = async (name: string, timeMs: number) => {
    const text = renderRecord(recordAt(timeMs))
    await writeFile(name, name.endsWith('.gz') ? gzipSync(text) : text)
    await utimes(name, timeMs / 1000, timeMs / 1000)
  }
  await write(path, NOON)
  for (let days = 1; days <= 3; days++) await write(`${path}.${days}.gz`, NOON - days * day)
  await mkdir(`${path}.4`)
  const { files } = await logFilesOf(path)
  const source = createFileSource({
    paths: [],
    files,
    onUnreadable: () => {},
    onRead: count => read.push(count),
  })
  const reads = async (records: Parameters<typeof collectIds>[0]) => {
    read.length = 0
    return { ids: await collectIds(records), files: read.length }
  }
  const ids = [0, 1, 2, 3].map(days => `r${-days * day}`.replace('-0', '0'))
  expect(await reads(source.all({ from: NOON - 1.5 * day }))).toEqual({ ids: [ids[1], ids[0]], files: 2 })
  expect(await reads(source.all({}))).toEqual({ ids: ids.toReversed(), files: 4 })
  expect(await reads(source.newest({}, 1))).toEqual({ ids: [ids[0]], files: 2 })
  expect(await reads(source.newest({}, 10))).toEqual({ ids, files: 4 })
})
