import { describe, expect, test } from 'vitest'
import { parsePolicyFile } from '../../../src/iam/lint/parse.ts'

describe('parsePolicyFile', () => {
  test.each([
    ['{\n  "a": 1,\n}', 'is not JSON: see line 3, column 1'],
    ['{"a" 1}', 'is not JSON: see line 1, column 6'],
    ['{"a": [1', 'is not JSON: it is cut off at line 1, column 9'],
    ["{'a': 1}", 'is not JSON: see line 1, column 2'],
    ['{"a": 1} // b', 'is not JSON: see line 1, column 10'],
    [`${'['.repeat(100_000)}`, 'is not JSON, and is nested too deeply to say where'],
    ['a: [1\nb: 2', 'is not YAML: see line 2, column 1'],
    ['a: 1\na: 2', 'is not YAML: see line 2, column 1'],
    ['a: *b', 'is YAML that cannot be resolved'],
    [`a: ${'['.repeat(150)}${']'.repeat(150)}`, 'is YAML that is nested too deeply'],
    [`a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'is YAML that is nested too deeply'],
  ])('says of %.40j that it %s', (text, problem) => {
    expect(parsePolicyFile(text)).toEqual({ ok: false, problem: expect.stringContaining(problem) })
  })

  test.each([
    [
      'a list that thousands of aliases stand for',
      `s: &s\n${' - { Effect: Allow }\n'.repeat(3000)}p:\n${' - *s\n'.repeat(5000)}`,
      'its aliases stand for too much',
    ],
    [
      'a text that thousands of aliases stand for',
      `s: &s '{"Statement": [${'{"Effect":"Allow"},'.repeat(4000)}{}]}'\np:\n${' - *s\n'.repeat(3000)}`,
      'its aliases stand for too much',
    ],
    [
      'aliases that double',
      `a0: &a0 [x]\n${Array.from({ length: 90 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`).join('\n')}`,
      'its aliases stand for too much',
    ],
    [
      'ten thousand aliases and more',
      `a: &a 1\nb: [${Array(10_001).fill('*a').join()}]`,
      'more than 10000 aliases',
    ],
    ['an alias within what it stands for', 'a: &a\n  b: [*a]', 'line 2, column 7 (an alias is within'],
  ])('refuses %s', (_, text, problem) => {
    expect(parsePolicyFile(text)).toEqual({ ok: false, problem: expect.stringContaining(problem) })
  })

  test('resolves aliases and merge keys', () => {
    expect(parsePolicyFile('a: &a { x: 1, y: 2 }\nb: { <<: *a, y: 3 }\nc: *a')).toEqual({
      ok: true,
      value: { a: { x: 1, y: 2 }, b: { x: 1, y: 3 }, c: { x: 1, y: 2 } },
    })
  })

  test('accepts a byte order mark', () => {
    expect(parsePolicyFile('\uFEFF{"a": 1}')).toEqual({ ok: true, value: { a: 1 } })
  })

  test('turns the short forms of CloudFormation into the long ones', () => {
    const text =
      'a: !Sub x\nb: !Ref y\nc: !Join ["", [!GetAtt z.Arn]]\nd: !If\n  - c\n  - !Sub [a, { b: c }]\n  - e: !Ref f\n'
    expect(parsePolicyFile(text)).toEqual({
      ok: true,
      value: {
        a: { 'Fn::Sub': 'x' },
        b: { Ref: 'y' },
        c: { 'Fn::Join': ['', [{ 'Fn::GetAtt': 'z.Arn' }]] },
        d: { 'Fn::If': ['c', { 'Fn::Sub': ['a', { b: 'c' }] }, { e: { Ref: 'f' } }] },
      },
    })
  })
})
