import { expect, test } from 'vitest'
import { example } from './example.ts'
import { fileNameProblems } from './file-names.ts'

function problems(...paths: string[]) {
  return fileNameProblems(example(Object.fromEntries(paths.map(path => [path, '']))))
}

test('names in kebab-case in the folder of their subject are sound', () => {
  expect(
    problems(
      'src/service.ts',
      'src/errors.ts',
      'src/tokens/rate-limit/slot-queue.ts',
      'src/config/source/s3.ts',
      'infra/dashboard.ts',
    ),
  ).toEqual([])
})

test('names in any other case are reported, folders included', () => {
  expect(
    problems(
      'src/tokens/tokenCache.ts',
      'src/Tokens/mint.ts',
      'handlers/cli_main.ts',
      'src/lib/hash.node.ts',
    ),
  ).toEqual([
    "src/tokens/tokenCache.ts: 'tokenCache' is not in kebab-case",
    "src/Tokens/mint.ts: 'Tokens' is not in kebab-case",
    "handlers/cli_main.ts: 'cli_main' is not in kebab-case",
    "src/lib/hash.node.ts: 'hash.node' is not in kebab-case",
  ])
})

test('a file loose at the top of src/ is reported', () => {
  expect(problems('src/helpers.ts')).toEqual([
    'src/helpers.ts is loose at the top of src/: it belongs in the folder of its step or subject',
  ])
})

test('a file too many folders down is reported', () => {
  expect(problems('src/tokens/rate-limit/slots/pool/size.ts')).toEqual([
    'src/tokens/rate-limit/slots/pool/size.ts lies more than 3 folders below src/',
  ])
})
