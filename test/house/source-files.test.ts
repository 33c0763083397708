import { expect, test } from 'vitest'
import { foldersOf, readDocuments, readPaths, readSources } from './source-files.ts'

test('sources are TypeScript of all three folders, and no tests', () => {
  const paths = readSources().map(({ path }) => path)
  expect(paths).toEqual(expect.arrayContaining(['src/errors.ts', 'handlers/cli.ts', 'infra/dashboard.ts']))
  expect(paths.filter(path => !/^(src|handlers|infra)\/.+\.ts$/.test(path))).toEqual([])
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
