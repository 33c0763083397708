import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstJsonFault, parsePolicyFile } from '../../../src/iam/lint/parse.ts'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const PIECES = [
  ...['{', '}', '[', ']', ':', ',', '"a"', '"\\u00e9"', '"', '\\', '1', '-', '0', '.5', 'e3', 'true', 'null'],
  ...[' ', '\n', 'x', '/*', '//', '\u0001', '\u00a0'],
]

describe('firstJsonFault', () => {
  test('agrees with JSON.parse on whether a text is JSON', () => {
    const texts = fc.oneof(
      fc.json(),
      fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map(list => list.join('')),
      fc.string(),
    )
    fc.assert(
      fc.property(texts, text => {
        expect(firstJsonFault(text) === undefined).toBe(isJson(text))
      }),
      { numRuns: 2000 },
    )
  })

  test('is at or before the place of a change', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (json, at) => {
        const cut = json.slice(0, at % json.length)
        if (!isJson(cut)) expect(firstJsonFault(cut)?.offset).toBeLessThanOrEqual(cut.length)
        expect(firstJsonFault(`${cut}\u0001${json}`)?.offset).toBeLessThanOrEqual(cut.length)
      }),
    )
  })
})

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
    [`a: ${'['.repeat(5000)}${']'.repeat(5000)}`, 'is '],
  ])('says of %.40j that it %s', (text, problem) => {
    expect(parsePolicyFile(text)).toEqual({ ok: false, problem: expect.stringContaining(problem) })
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
