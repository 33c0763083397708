import { expect, test } from 'vitest'
import {
  ConfigError,
  createReport,
  describeProblem,
  limitProblems,
  namesText,
  type Problem,
  pathText,
} from '../../src/config/problems.ts'

test('pathText joins names by dots and puts positions in brackets', () => {
  expect(pathText(['grants', 0, 'users', 1])).toBe('grants[0].users[1]')
  expect(pathText([])).toBe('')
})

test('pathText escapes and shortens names', () => {
  expect(pathText(['a\nb', 'x'.repeat(200)])).toMatch(/^a\\nb\.x{99}…$/)
})

test('namesText lists at most ten names', () => {
  expect(namesText([])).toBe('none')
  expect(namesText(new Set(['a', '\u001b']))).toBe('a, \\u001b')
  expect(namesText('abcdefghijk')).toBe('a, b, c, d, e, f, g, h, i, j, …')
})

test('a report adds the problems of its parts with their paths', () => {
  const problems: Problem[] = []
  const report = createReport(problems)
  report.at('grants', 1).problem('is empty', 'users', 0)
  report.problem('is broken')
  expect(problems).toEqual([
    { path: 'grants[1].users[0]', message: 'is empty', segments: ['grants', 1, 'users', 0] },
    { path: '', message: 'is broken', segments: [] },
  ])
})

test('limitProblems says how many of a huge number are left out', () => {
  const problems = Array.from({ length: 1005 }, (_, i) => ({
    path: `a${i}`,
    message: 'is wrong',
    line: i + 1,
  }))
  expect(limitProblems(problems.slice(0, 1000))).toEqual(problems.slice(0, 1000))
  expect(limitProblems(problems)).toHaveLength(1001)
  expect(limitProblems(problems).at(-1)).toEqual({
    path: '',
    message: 'there are 5 more problems, which are not listed',
    line: 1000,
  })
})

test('describeProblem names the place and the grant, printable', () => {
  const problem = { path: 'grants[0].users[1]', message: 'is\u001b wrong', grant: 'deploy' }
  expect(describeProblem(problem)).toBe('grants[0] (deploy).users[1]: is\\u001b wrong')
  expect(describeProblem({ ...problem, file: 'a\u200b.yaml', line: 3, column: 7 })).toBe(
    'a\\u200b.yaml:3:7: grants[0] (deploy).users[1]: is\\u001b wrong',
  )
})

test('a name that is an API key is not quoted', () => {
  expect(pathText(['apiKeys', `jeton_${'a'.repeat(43)}`])).toBe('apiKeys.(hidden)')
})

test('the message of a ConfigError has a line for each problem', () => {
  const problems = [
    { path: '', message: 'is empty' },
    { path: 'grants', message: 'is required' },
  ]
  expect(new ConfigError(problems)).toMatchObject({ problems, message: 'is empty\ngrants: is required' })
})
