import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readFile, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { renderRecord } from '../../src/audit/record.ts'
import { folder, record } from '../audit/support.ts'

const TOP = fileURLToPath(new URL('../../', import.meta.url))
const WRITER = join(TOP, 'test/audit/file/writer.ts')

function start(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], { cwd: TOP })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = { out: '', err: '' }
  child.stdout.on('data', chunk => {
    output.out += chunk
  })
  child.stderr.on('data', chunk => {
    output.err += chunk
  })
  return { child, output, closed: once(child, 'close') }
}

const follow = (...args: string[]) =>
  start('handlers/cli.ts', 'audit', 'query', '--follow', '-o', 'json', ...args)

const idsIn = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line).id as string)
const acknowledgedIn = (text: string) => text.split('\n').slice(0, -1)

test('prints each record once while a process writes and the file is renamed again and again, and ends at SIGINT', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const before = ['old-1', 'old-2', 'old-3'].map(id => renderRecord(record({ id })))
  await writeFile(path, `${before.join('\n')}\n`)
  const follower = follow(path, '--limit', '2')
  await expect.poll(() => idsIn(follower.output.out), { timeout: 30_000 }).toEqual(['old-2', 'old-3'])
  const writer = start(WRITER, 'w', path)
  for (let round = 1; round <= 4; round++) {
    await expect.poll(() => writer.output.out.length, { timeout: 30_000 }).toBeGreaterThan(round * 1500)
    // twice in a row: a file may come and go between two looks at the path
    for (const name of [`${path}.${round}`, `${path}-2026112${round}`])
      await expect
        .poll(
          () =>
            rename(path, name).then(
              () => 'renamed',
              () => 'none yet',
            ),
          { interval: 1 },
        )
        .toBe('renamed')
  }
  writer.child.kill('SIGTERM')
  await writer.closed
  expect(follower.output.err).toBe('')
  const acknowledged = acknowledgedIn(writer.output.out)
  expect(acknowledged.length).toBeGreaterThan(100)
  await expect
    .poll(
      () => {
        const printed = new Set(idsIn(follower.output.out))
        return acknowledged.filter(id => !printed.has(id))
      },
      { timeout: 30_000 },
    )
    .toEqual([])
  follower.child.kill('SIGINT')
  expect(await follower.closed).toEqual([0, null])
  const printed = idsIn(follower.output.out)
  expect(printed.length).toBe(new Set(printed).size)
  expect(follower.output.err).toBe('')
}, 120_000)

test('prints each record once while the file is copied and emptied', async () => {
  const path = join(await folder(), 'audit.jsonl')
  await writeFile(path, '')
  const follower = follow(path, '--decision', 'vended', '-o', 'ocsf')
  const written: string[] = []
  const append = async (id: string) => {
    written.push(id)
    await writeFile(path, `${renderRecord(record({ id }))}\n`, { flag: 'a' })
  }
  const printed = () =>
    follower.output.out
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line).metadata.uid)
  await append('first')
  await expect.poll(printed, { timeout: 30_000 }).toEqual(written)
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 20; i++) await append(`r${round}-${i}`)
    await copyFile(path, `${path}.${round + 1}`)
    await truncate(path)
    // so many that the file is soon as long as it was
    for (let i = 0; i < 40; i++) await append(`s${round}-${i}`)
    await expect.poll(() => printed().toSorted(), { timeout: 10_000 }).toEqual(written.toSorted())
  }
  follower.child.kill('SIGINT')
  expect(await follower.closed).toEqual([0, null])
}, 120_000)

test('waits for a file that is not there yet, and ends when nobody reads on', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const follower = follow(path)
  await new Promise(resolve => setTimeout(resolve, 100))
  await writeFile(
    path,
    `${renderRecord(record({ id: 'a' }))}\n${renderRecord(record({ id: 'b' })).slice(0, 20)}`,
  )
  await expect.poll(() => idsIn(follower.output.out), { timeout: 30_000 }).toEqual(['a'])
  await writeFile(path, `${renderRecord(record({ id: 'b' })).slice(20)}\n`, { flag: 'a' })
  await expect.poll(() => idsIn(follower.output.out)).toEqual(['a', 'b'])
  follower.child.stdout.destroy()
  await writeFile(path, `${renderRecord(record({ id: 'c' }))}\n`, { flag: 'a' })
  expect(await follower.closed).toEqual([0, null])
  expect(follower.output.err).toBe('')
  expect(await readFile(path, 'utf8')).toContain('"id":"c"')
})
