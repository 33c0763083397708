import { expect, test } from 'vitest'
import { exampleFile } from './example.ts'
import { fileLengthProblems, MAX_LINES } from './file-length.ts'

function fileOf(lines: number) {
  return exampleFile('a()\n'.repeat(lines), 'src/tokens/mint.ts')
}
const exception = { path: 'src/tokens/mint.ts', because: 'an example' }

test('a file of 200 lines is sound', () => {
  expect(MAX_LINES).toBe(200)
  expect(fileLengthProblems([fileOf(200)], [])).toEqual([])
})

test('a file of one more is reported', () => {
  expect(fileLengthProblems([fileOf(201)], [])).toEqual([
    'src/tokens/mint.ts has 201 lines: a file is one idea of at most 200',
  ])
})

test('an exception lets its own file be long', () => {
  expect(fileLengthProblems([fileOf(201)], [exception])).toEqual([])
  expect(fileLengthProblems([fileOf(201)], [{ ...exception, path: 'src/tokens/renew.ts' }])).toHaveLength(2)
})

test('an exception for a file that is short or gone is reported', () => {
  const problem = 'src/tokens/mint.ts is not above 200 lines: take it out of LONG_FILES'
  expect(fileLengthProblems([fileOf(200)], [exception])).toEqual([problem])
  expect(fileLengthProblems([], [exception])).toEqual([problem])
})
