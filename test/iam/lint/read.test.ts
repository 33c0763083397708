import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonFaultAt } from '../../../src/iam/lint/json-fault.ts'
import { readPolicyText } from '../../../src/iam/lint/read.ts'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('where a text stops being JSON', () => {
  test('agrees with JSON.parse on whether it does', () => {
    const pieces = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ':',
        ',',
        '"a"',
        '"\\u00e9"',
        '"',
        '\\',
        '1',
        '-',
        '0',
        '.5',
        'e3',
        'true',
        'null',
        ' ',
        '\n',
        'x',
        '\u0001',
        '\u00a0',
      ),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          pieces.map(list => list.join('')),
          fc.string(),
        ),
        text => {
          expect(jsonFaultAt(text) === undefined).toBe(isJson(text))
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('is no later than what was cut out or put in', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (json, at) => {
        const cut = json.slice(0, at % json.length)
        if (!isJson(cut)) expect(jsonFaultAt(cut)).toBeLessThanOrEqual(cut.length)
        expect(jsonFaultAt(`${cut}\u0001${json}`)).toBeLessThanOrEqual(cut.length)
      }),
    )
  })
})

test.each([
  ['{\n  "a": 1,\n}', 'is no JSON: see line 3, column 1'],
  ['{"a" 1}', 'is no JSON: see line 1, column 6'],
  ['{"a": [1', 'is no JSON: it is cut off at line 1, column 9'],
  ["{'a': 1}", 'is no JSON: see line 1, column 2'],
  ['a: [1\nb: 2', 'is no YAML: see line 2, column 1'],
  ['a: 1\na: 2', 'is no YAML: see line 2, column 1'],
  ['a: *b', 'is YAML that cannot be resolved'],
  [`a: ${'['.repeat(5000)}${']'.repeat(5000)}`, 'is '],
])('%.40j %s', (text, problem) => {
  expect(readPolicyText(text)).toEqual({ ok: false, problem: expect.stringContaining(problem) })
})

test('a byte order mark is no fault', () => {
  expect(readPolicyText('\uFEFF{"a": 1}')).toEqual({ ok: true, value: { a: 1 } })
})

test('the short forms of CloudFormation become the long ones', () => {
  const text =
    'a: !Sub x\nb: !Ref y\nc: !Join ["", [!GetAtt z.Arn]]\nd: !If\n  - c\n  - !Sub [a, { b: c }]\n  - e: !Ref f\n'
  expect(readPolicyText(text)).toEqual({
    ok: true,
    value: {
      a: { 'Fn::Sub': 'x' },
      b: { Ref: 'y' },
      c: { 'Fn::Join': ['', [{ 'Fn::GetAtt': 'z.Arn' }]] },
      d: { 'Fn::If': ['c', { 'Fn::Sub': ['a', { b: 'c' }] }, { e: { Ref: 'f' } }] },
    },
  })
})
