import { mkdir, readdir, rename, symlink, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { lockFile, tryLock } from '../../../src/audit/file/lock.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { folder } from '../support.ts'

const lock = (path: string) => lockFile(path, systemClock())

/** Leaves a socket on which nobody listens, as a process does that was killed. */
async function leaveStale(path: string): Promise<void> {
  const killed = createServer()
  // closing a server removes the name that it was bound to
  await new Promise<void>(done => killed.listen(`${path}-bound`, done))
  await rename(`${path}-bound`, path)
  await new Promise(done => killed.close(done))
}

test('lockFile lets one in at a time, by whatever path to the file', async () => {
  const dir = await folder()
  await writeFile(join(dir, 'log'), '')
  await symlink(dir, join(dir, 'alias'))
  await symlink('log', join(dir, 'other-name'))
  const unlock = await lock(join(dir, 'log'))
  for (const path of ['log', 'alias/log', 'other-name'].map(name => join(dir, name)))
    await expect(lock(path)).rejects.toThrow(`${path}: another process writes to this audit file`)
  const unlockOther = await lock(join(dir, 'other'))
  await unlock()
  await (await lock(join(dir, 'log')))()
  await unlockOther()
})

test('lockFile leaves nothing behind, neither when it unlocks nor when it rejects', async () => {
  const dir = await folder()
  const unlock = await lock(join(dir, 'log'))
  const [name = ''] = await readdir(dir)
  expect(name).toMatch(/^log\.lock-[0-9a-f]{16}$/)
  await expect(lock(join(dir, 'log'))).rejects.toThrow()
  expect(await readdir(dir)).toEqual([name])
  await unlock()
  expect(await readdir(dir)).toEqual([])
})

test('lockFile removes the locks of processes that were killed, and those alone', async () => {
  const dir = await folder()
  const keep = [
    'log',
    'log.lock-',
    'log.lock-0123',
    'log.lock-0000000000000003.old',
    'log2.lock-0000000000000004',
  ]
  for (const name of keep) await writeFile(join(dir, name), '')
  for (const id of ['0000000000000001', 'ffffffffffffffff']) await leaveStale(join(dir, `log.lock-${id}`))
  const unfinished = ['0000000000000005', '0000000000000006'].map(id => join(dir, `log.lock-${id}.new`))
  for (const path of unfinished) await writeFile(path, '')
  const hourAgo = Date.now() / 1000 - 3600
  await utimes(unfinished[0] ?? '', hourAgo, hourAgo)
  const unlock = await lock(join(dir, 'log'))
  await expect(lock(join(dir, 'log'))).rejects.toThrow('another process')
  await unlock()
  expect((await readdir(dir)).sort()).toEqual([...keep, 'log.lock-0000000000000006.new'].sort())
})

test('a folder under the name of a lock, with or without its end, holds nothing', async () => {
  const dir = await folder()
  const planted = ['log.lock-0000000000000001', 'log.lock-0000000000000002.new'].map(name => join(dir, name))
  for (const path of planted) await mkdir(path)
  await utimes(planted[1] ?? '', 0, 0)
  const unlock = await lock(join(dir, 'log'))
  await expect(lock(join(dir, 'log'))).rejects.toThrow('another process')
  await unlock()
})

test('of twenty that start at once, one gets the lock, whether or not there is a stale one', async () => {
  const dir = await folder()
  for (let round = 0; round < 5; round++) {
    if (round % 2 === 1) await leaveStale(join(dir, 'log.lock-7777777777777777'))
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lock(join(dir, 'log'))))
    const unlocks = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(unlocks).toHaveLength(1)
    for (const unlock of unlocks) await unlock()
  }
  expect(await readdir(dir)).toEqual([])
})

test('lockFile waits for one that wants the lock and has the greater name, until that gives up', async () => {
  const dir = await folder()
  const path = join(dir, 'log.lock-ffffffffffffffff')
  const other = createServer(socket => socket.end('wanted'))
  await new Promise<void>(done => other.listen(path, done))
  let isLocked = false
  const locking = lock(join(dir, 'log')).then(unlock => {
    isLocked = true
    return unlock
  })
  await new Promise(resolve => setTimeout(resolve, 100))
  expect(isLocked).toBe(false)
  await new Promise(done => other.close(done))
  await (await locking)()
})

test('lockFile gives way to one that wants the lock and has the lesser name, or does not answer', async () => {
  const dir = await folder()
  for (const [id, answer] of [
    ['0000000000000000', 'wanted'],
    ['ffffffffffffffff', ''],
  ] as const) {
    const other = createServer(socket => socket.end(answer))
    await new Promise<void>(done => other.listen(join(dir, `log.lock-${id}`), done))
    await expect(lock(join(dir, 'log'))).rejects.toThrow('another process')
    await new Promise(done => other.close(done))
  }
})

test.runIf(process.platform === 'linux')(
  'lockFile locks in a folder deeper than the address of a socket may be',
  async () => {
    const dir = join(await folder(), 'd'.repeat(120), 'e'.repeat(120))
    await mkdir(dir, { recursive: true })
    const path = join(dir, `${'l'.repeat(200)}.jsonl`)
    const unlock = await lock(path)
    expect(await readdir(dir)).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.lock-[0-9a-f]{16}$/)])
    await expect(lock(path)).rejects.toThrow('another process')
    await unlock()
    expect(await readdir(dir)).toEqual([])
  },
)

test.runIf(process.platform === 'linux')(
  'a socket of the name that releases before had does not keep jeton from starting',
  async () => {
    const path = join(await folder(), 'log')
    const hostile = createServer()
    await new Promise<void>(done => hostile.listen(`\0jeton-audit-${sha256Hex(path)}`, done))
    onTestFinished(() => void hostile.close())
    await (await lock(path))()
  },
)

test('tryLock tells whether another process has the lock, and leaves and removes nothing', async () => {
  const dir = await folder()
  const stale = `log.lock-${'0'.repeat(16)}`
  await leaveStale(join(dir, stale))
  expect(await tryLock(join(dir, 'log'))).toBe('free')
  expect(await readdir(dir)).toEqual([stale])
  const unlock = await lock(join(dir, 'log'))
  expect(await tryLock(join(dir, 'log'))).toBe('taken')
  await unlock()
  expect(await tryLock(join(dir, 'log'))).toBe('free')
  await expect(tryLock(join(dir, 'nowhere', 'log'))).rejects.toThrow('ENOENT')
})

test('tryLock keeps nobody from the lock who wants it meanwhile', async () => {
  const path = join(await folder(), 'log')
  let isTrying = true
  const trying = (async () => {
    while (isTrying) await tryLock(path)
  })()
  for (let i = 0; i < 30; i++) await (await lock(path))()
  isTrying = false
  await trying
})
