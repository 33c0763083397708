import { expect, test } from 'vitest'
import { ConfigError, createReport, namesText, type Problem, pathText } from '../../src/config/problems.ts'

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

test('the message of a ConfigError has a line for each problem', () => {
  const problems = [
    { path: '', message: 'is empty' },
    { path: 'grants', message: 'is required' },
  ]
  expect(new ConfigError(problems)).toMatchObject({ problems, message: 'is empty\ngrants: is required' })
})
