import { readdir, rename, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockFile } from '../../../src/audit/file/lock.ts'
import { folder } from '../support.ts'

for (const abstract of process.platform === 'linux' ? [true, false] : [false])
  test(`one at a time, by whatever path to the folder (abstract: ${abstract})`, async () => {
    const dir = await folder()
    await symlink(dir, join(dir, 'alias'))
    const lock = (...names: string[]) => lockFile(join(dir, ...names), { abstract, folder: dir })
    const unlock = await lock('log')
    await expect(lock('log')).rejects.toThrow(`${join(dir, 'log')}: another process`)
    await expect(lock('alias', 'log')).rejects.toThrow(`${join(dir, 'alias', 'log')}: another process`)
    const unlockOther = await lock('other')
    await unlock()
    await (await lock('log'))()
    await unlockOther()
  })

test('a socket file that nobody answers on is replaced', async () => {
  const dir = await folder()
  const lock = () => lockFile(join(dir, 'log'), { abstract: false, folder: dir })
  const unlock = await lock()
  const [name = ''] = await readdir(dir)
  await unlock()
  // A process that was killed leaves its socket behind; closing one properly would remove it, were it not renamed.
  const killed = createServer()
  await new Promise<void>(done => killed.listen(join(dir, 'killed'), done))
  await rename(join(dir, 'killed'), join(dir, name))
  await new Promise(done => killed.close(done))
  expect(await readdir(dir)).toEqual([name])
  const unlockAgain = await lock()
  await expect(lock()).rejects.toThrow('another process')
  await unlockAgain()
})
