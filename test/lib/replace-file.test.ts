import {
  chmod,
  chown,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { replaceFile } from '../../src/lib/replace-file.ts'
import { run } from '../support/run.ts'

const NOBODY = 65_534

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replace-file-'))
  path = join(folder, 'ca.pem')
})
afterEach(() => rm(folder, { recursive: true }))

test('whoever reads while it is replaced reads the old text', async () => {
  await replaceFile(path, 'old')
  const reader = await open(path)
  await replaceFile(path, 'newer')
  expect(await reader.readFile('utf8')).toBe('old')
  await reader.close()
  expect(await readFile(path, 'utf8')).toBe('newer')
  expect(await readdir(folder)).toEqual(['ca.pem'])
})

test('a file that has the text is left alone, and another keeps its mode', async () => {
  await replaceFile(path, 'old')
  await chmod(path, 0o640)
  const { ino } = await stat(path)
  await replaceFile(path, 'old')
  expect((await stat(path)).ino).toBe(ino)
  await replaceFile(path, 'new')
  const { ino: other, mode } = await stat(path)
  expect([other === ino, mode & 0o777]).toEqual([false, 0o640])
})

test('a link leads to the new text as it led to the old', async () => {
  await writeFile(path, 'old')
  const link = join(folder, 'link')
  await symlink(path, link)
  await replaceFile(link, 'new')
  expect(await readFile(path, 'utf8')).toBe('new')
})

test('what is no file is written to, and stays what it is', async () => {
  const pipe = join(folder, 'pipe')
  await run('mkfifo', [pipe])
  const [text] = await Promise.all([readFile(pipe, 'utf8'), replaceFile(pipe, 'new')])
  expect(text).toBe('new')
  expect((await stat(pipe)).isFIFO()).toBe(true)
})

test('a file in a folder that is not ours is written to as it is', async () => {
  await writeFile(path, 'old')
  const { ino } = await stat(path)
  await chmod(folder, 0o555)
  if (process.getuid?.() === 0) {
    await chown(path, NOBODY, NOBODY)
    process.seteuid?.(NOBODY)
  }
  try {
    await replaceFile(path, 'new')
  } finally {
    if (process.getuid?.() === 0) process.seteuid?.(0)
    await chmod(folder, 0o755)
  }
  expect([await readFile(path, 'utf8'), (await stat(path)).ino]).toEqual(['new', ino])
})

test('what cannot be written is an error, and leaves nothing behind', async () => {
  await expect(replaceFile(join(folder, 'none', 'ca.pem'), 'new')).rejects.toThrow('ENOENT')
  expect(await readdir(folder)).toEqual([])
})
