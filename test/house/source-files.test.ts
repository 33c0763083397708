import { expect, test } from 'vitest'
import { foldersOf, isCode, readDocuments, readPaths, readSources, readTests } from './source-files.ts'

test('sources are the code of all three folders, and no tests', () => {
  const paths = readSources().map(({ path }) => path)
  const some = ['src/errors.ts', 'handlers/cli.ts', 'infra/dashboard.ts', 'infra/build.cjs']
  expect(paths).toEqual(expect.arrayContaining(some))
  expect(paths.filter(path => !/^(src|handlers|infra)\/.+\.(ts|cjs)$/.test(path))).toEqual([])
})

test('tests are the code below test/, helpers included', () => {
  const paths = readTests().map(({ path }) => path)
  const some = ['test/house/source-files.test.ts', 'test/house/source-files.ts', 'test/bench/main.ts']
  expect(paths).toEqual(expect.arrayContaining(some))
  expect(paths.filter(path => !path.startsWith('test/'))).toEqual([])
})

test.each([
  ['src/a.ts', true],
  ['infra/a.cjs', true],
  ['build.mjs', true],
  ['infra/a.yml', false],
  ['docs/jeton.schema.json', false],
])('code: %s is %s', (path, expected) => {
  expect(isCode(path)).toBe(expected)
})

test('documents are those of the project as it is', () => {
  const paths = readDocuments().map(({ path }) => path)
  expect(paths).toEqual(expect.arrayContaining(['README.md', 'docs/design.md']))
  expect(paths).not.toContain('CHANGELOG.md')
})

test('paths have files and folders, and nothing that was installed or built', () => {
  const paths = readPaths()
  for (const path of ['package.json', 'src', 'test/house', 'test/house/source-files.ts'])
    expect(paths).toContain(path)
  expect([...paths].filter(path => /^(node_modules|dist|\.git)(\/|$)/.test(path))).toEqual([])
})

test('the folders of a path go from the inside out', () => {
  expect(foldersOf('src/tokens/mint.ts')).toEqual(['src/tokens', 'src'])
  expect(foldersOf('README.md')).toEqual([])
})
