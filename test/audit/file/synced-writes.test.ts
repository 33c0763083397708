import type { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { syncsWrites } from '../../../src/audit/file/synced-writes.ts'
import { folder } from '../support.ts'

test.each([
  ['ext4', 0xef53, true],
  ['XFS', 0x58465342, true],
  ['Btrfs', 0x9123683e, true],
  ['NFS', 0x6969, false],
  ['FUSE', 0x65735546, false],
  ['9p', 0x01021997, false],
  ['SMB', 0xfe534d42, false],
  ['APFS on macOS', 26, false],
])('a write syncs, or jeton does after it: %s', async (_, type, isSyncing) => {
  const telling = (async () => ({ type })) as unknown as typeof statfs
  expect(await syncsWrites('/var/log/audit.jsonl', telling)).toBe(isSyncing)
})

test('syncsWrites asks the folder for a file that is not there yet, and trusts nothing that it cannot ask', async () => {
  const asked: string[] = []
  const only = (known: string) =>
    (async (path: string) => {
      asked.push(path)
      if (path !== known) throw new Error('ENOENT')
      return { type: 0xef53 }
    }) as unknown as typeof statfs
  expect(await syncsWrites('/logs/audit.jsonl', only('/logs'))).toBe(true)
  expect(asked).toEqual(['/logs/audit.jsonl', '/logs'])
  expect(await syncsWrites('/logs/audit.jsonl', only('/none'))).toBe(false)
  // whatever this machine has, it can be asked
  expect(typeof (await syncsWrites(join(await folder(), 'audit.jsonl')))).toBe('boolean')
})
