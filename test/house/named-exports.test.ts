import { expect, test } from 'vitest'
import { example, exampleFile } from './example.ts'
import { namedExportProblems } from './named-exports.ts'

const files = example({
  'src/tokens/token-cache.ts': 'export function createTokenCache() {}\nconst kept = 1',
})

function problems(text: string) {
  return namedExportProblems([exampleFile(text, 'docs/design.md')], files)
}

test('a name with the file that exports it is sound', () => {
  expect(
    problems(
      '`createTokenCache` (`src/tokens/token-cache.ts`), `createTokenCache()`\n(`src/tokens/token-cache.ts`)',
    ),
  ).toEqual([])
})

test('a name that its file does not export is reported', () => {
  expect(
    problems('`createBook` (`src/tokens/token-cache.ts`) and `kept` (`src/tokens/token-cache.ts`)'),
  ).toEqual([
    'docs/design.md says that src/tokens/token-cache.ts exports createBook: it does not',
    'docs/design.md says that src/tokens/token-cache.ts exports kept: it does not',
  ])
})

test('a name of a test is checked too', () => {
  expect(problems('`describeStore` (`test/contracts/stores.ts`)')).toEqual([
    'docs/design.md names test/contracts/stores.ts for describeStore, which is not among the files',
  ])
})

test('a name of a file that is not there is reported', () => {
  expect(problems('`createBook` (`src/tokens/book.ts`)')).toEqual([
    'docs/design.md names src/tokens/book.ts for createBook, which is not among the files',
  ])
})

test('a name without a file, and a file without a name, are left alone', () => {
  expect(
    problems(
      '`createBook` goes into (`src/tokens/token-cache.ts`) by `npm test` (`src/tokens/token-cache.ts`)',
    ),
  ).toEqual([])
})
