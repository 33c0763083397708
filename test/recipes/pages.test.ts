import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { readTests } from '../house/source-files.ts'

const PAGES = new URL('../../docs/connect/', import.meta.url)

const pages = new Map<string, string>()
for (const name of await readdir(PAGES)) pages.set(name, await readFile(new URL(name, PAGES), 'utf8'))

const examplesIn = (text: string) =>
  [...text.matchAll(/^<!-- example: (.+) -->$/gm)].map(([, name = '']) => name)

test('the index names each page', () => {
  const index = pages.get('README.md') ?? ''
  expect([...pages.keys()].filter(name => !index.includes(name) && name !== 'README.md')).toEqual([])
})

test('what a page marks as an example is run by a test of that page', () => {
  const texts = readTests().map(({ text }) => text)
  const isRun = (page: string, name: string) =>
    texts.some(
      text => (text.includes(`'${page}'`) || text.includes(`connect/${page}'`)) && text.includes(`'${name}'`),
    )
  const examples = [...pages].flatMap(([file, text]) =>
    examplesIn(text).map(name => [file.replace('.md', ''), name] as const),
  )
  expect(examples.length).toBeGreaterThan(40)
  expect(examples.filter(([page, name]) => !isRun(page, name))).toEqual([])
})

test('a page that says what happens at 15 minutes says what has been run in tests, or that nothing has', () => {
  const silent = [...pages]
    .filter(([, text]) => /^#+ .*15 minutes/m.test(text))
    .filter(([, text]) => !/run in (?:a )?tests?|untested/i.test(text))
  expect(silent.map(([name]) => name)).toEqual([])
})
