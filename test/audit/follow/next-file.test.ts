import { rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openFollowedFile, placeBehind, readLastRecord } from '../../../src/audit/follow/followed-file.ts'
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
