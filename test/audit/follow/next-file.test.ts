import { copyFile, rename, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { followFrom } from '../../../src/audit/follow/file-follower.ts'
import {
  openFollowedFile,
  placeBehind,
  readFirstRecord,
  readLastRecord,
} from '../../../src/audit/follow/followed-file.ts'
import { createFindNextFile } from '../../../src/audit/follow/next-file.ts'
import { folder } from '../support.ts'
import { createGrowingLog } from './growing-log.ts'

async function setUp() {
  const path = join(await folder(), 'audit.jsonl')
  const log = createGrowingLog()
  await log.write(path, 'a')
  const file = (await openFollowedFile(path)) ?? expect.fail()
  onTestFinished(() => file.close())
  const { offset, hash } = (await readLastRecord(file)) ?? expect.fail()
  const read = {
    file,
    offset,
    position: { file: path, offset, hash, time: '2026-11-23T12:00:00.000Z' },
    anchor: placeBehind(hash, offset),
  }
  return { path, log, read, find: createFindNextFile(path, new Set()) }
}

test('what jeton wrote to a file after its end was read, and before the next began, is read first', async () => {
  const { path, log, read, find } = await setUp()
  expect(await find(read)).toBeUndefined()
  await rename(path, `${path}.1`)
  expect(await find(read)).toBeUndefined()
  await log.write(`${path}.1`, 'b')
  await log.write(path, 'c')
  expect(await find(read)).toBe('again')
  const { size: offset } = await stat(`${path}.1`)
  const next = await find({ ...read, offset })
  expect(next).toMatchObject({ offset: 0, file: { path } })
  if (next !== 'again') await next?.file.close()
})

test('what a file had that is emptied between its choice and its reading is read in the copy', async () => {
  const { path, log, read } = await setUp()
  await rename(path, `${path}.2`)
  await log.write(path, 'b')
  const file = (await openFollowedFile(path)) ?? expect.fail()
  const firstKey = (await readFirstRecord(file))?.key
  await copyFile(path, `${path}.1`)
  await truncate(path)
  await log.write(path, 'c')
  const missing: string[] = []
  const follower = followFrom(
    { file, offset: 0, anchor: undefined, firstKey, position: read.position },
    {
      path,
      needsChain: true,
      known: new Set(),
      onMissing: gap => void missing.push(gap.file),
      onUnreadable: () => expect.fail(),
    },
  )
  onTestFinished(() => follower.close())
  const { records, isAtEnd } = await follower.next(10)
  expect([records.map(({ record }) => record.id), isAtEnd, missing]).toEqual([['b', 'c'], true, []])
})
