import { readdir, readFile, rename, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockFile } from '../../../src/audit/file/lock.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { GOLDEN } from '../golden.ts'
import { folder } from '../support.ts'

const isLinux = process.platform === 'linux'

for (const isAbstract of isLinux ? [true, false] : [false])
  test(`lockFile lets one in at a time, by whatever path to the folder (abstract: ${isAbstract})`, async () => {
    const dir = await folder()
    await symlink(dir, join(dir, 'alias'))
    const lock = (...names: string[]) => lockFile(join(dir, ...names), { isAbstract, folder: dir })
    const unlock = await lock('log')
    await expect(lock('log')).rejects.toThrow(`${join(dir, 'log')}: another process`)
    await expect(lock('alias', 'log')).rejects.toThrow(`${join(dir, 'alias', 'log')}: another process`)
    const unlockOther = await lock('other')
    await unlock()
    await (await lock('log'))()
    await unlockOther()
  })

test('lockFile replaces a socket file that nobody answers on', async () => {
  const dir = await folder()
  const lock = () => lockFile(join(dir, 'log'), { isAbstract: false, folder: dir })
  const unlock = await lock()
  const [name = ''] = await readdir(dir)
  await unlock()
  // a process that was killed leaves its socket behind; closing one properly would remove it, so it is renamed
  const killed = createServer()
  await new Promise<void>(done => killed.listen(join(dir, 'killed'), done))
  await rename(join(dir, 'killed'), join(dir, name))
  await new Promise(done => killed.close(done))
  expect(await readdir(dir)).toEqual([name])
  const unlockAgain = await lock()
  await expect(lock()).rejects.toThrow('another process')
  await unlockAgain()
})

// during an upgrade, the old and the new jeton must see each other's locks
test('lockFile names its socket file as it always did', async () => {
  const dir = await folder()
  const unlock = await lockFile('/audit.jsonl', { isAbstract: false, folder: dir })
  expect(await readdir(dir)).toEqual([GOLDEN.lockOfAuditJsonl])
  await unlock()
})

test.runIf(isLinux)('lockFile names its abstract socket as it always did', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const unlock = await lockFile(path, { isAbstract: true })
  expect(await readFile('/proc/net/unix', 'utf8')).toContain(`@jeton-audit-${sha256Hex(path)}`)
  await unlock()
})
