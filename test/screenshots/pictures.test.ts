import { readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const MAX_BYTES = 130 * 1024
const MAX_BYTES_TOGETHER = 900 * 1024

/** If one of these fails, `npm run screenshots` takes the pictures anew. */
test('the docs show a picture of each page of the console, with a text in its place, and no other', async () => {
  const pages = (await readdir(new URL('src/console/pages/', ROOT))).map(file => basename(file, '.ts'))
  const docs = await readFile(new URL('docs/operations.md', ROOT), 'utf8')
  const readme = await readFile(new URL('README.md', ROOT), 'utf8')
  const described = [...docs.matchAll(/!\[[^\]]{20,}\]\(console\/([\w-]+)\.png\)/g)].map(([, name]) => name)
  expect(described.sort()).toEqual(pages.sort())
  const named = [...`${docs}${readme}`.matchAll(/\bconsole\/([\w-]+)\.png/g)].map(([, name]) => name)
  const files = (await readdir(new URL('docs/console/', ROOT))).map(file => basename(file, '.png'))
  expect([...new Set(named)].sort()).toEqual(files.sort())
})

test('the pictures are PNG files that are small', async () => {
  const folder = new URL('docs/console/', ROOT)
  const files = await Promise.all((await readdir(folder)).map(file => readFile(new URL(file, folder))))
  for (const file of files) {
    expect(file.subarray(1, 4).toString()).toBe('PNG')
    expect(file.length).toBeLessThan(MAX_BYTES)
  }
  expect(files.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(MAX_BYTES_TOGETHER)
})
