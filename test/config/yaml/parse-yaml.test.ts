import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/config/problems.ts'
import { parseConfigText } from '../../../src/config/yaml/parse-yaml.ts'
import { problemsOf, sound } from '../support.ts'

function problemsIn(text: string): string[] {
  try {
    parseConfigText(text)
    return []
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    return cause.problems.map(({ line, column, message }) => `${line}:${column} ${message}`)
  }
}

describe('parseConfigText', () => {
  const ALIAS =
    'text that begins with * must be in quotes; as an alias (*name) it needs an anchor (&name) before it'
  const TAG = 'text that begins with ! must be in quotes; tags are not supported'

  test.each([
    [
      'a: 1\nb: "x',
      '2:4 cannot be read as YAML: a quotation mark that is not closed: end the text with the same one',
    ],
    ['a:\n\tb: 2', '2:1 cannot be read as YAML: a tab in the indentation: indent with spaces'],
    ['a: 1\na: 2', '2:1 the mapping has this key already, on line 1: keep one of them'],
    ['{"a": 1, "a": 2}', '1:10 the mapping has this key already, on line 1: keep one of them'],
    ['a: 1\n---\nb: 2', '2:1 a second document begins here: a file may contain only one'],
    ['ref: **', `1:6 ${ALIAS}`],
    ['a: *b\nb: &b 1', `1:4 ${ALIAS}`],
    ['a: !Ref b', `1:4 ${TAG}`],
    ['a: !!binary aGk=', `1:4 ${TAG}`],
    ['? [a]\n: b', '1:3 a key that is not text: put it in quotes'],
    [`a: ${'['.repeat(150)}`, '1:103 cannot be read as YAML: it is nested too deeply'],
    [`${'- '.repeat(150)}a`, '1:200 cannot be read as YAML: it is nested too deeply'],
    [`${'{"a":'.repeat(150)}1${'}'.repeat(150)}`, '1:497 cannot be read as YAML: it is nested too deeply'],
  ])('says what is wrong with %j and where', (text, problem) => {
    expect(problemsIn(text)).toEqual([problem])
  })

  test('never quotes the text', () => {
    for (const text of [
      'sha256: jeton_s3cret: x',
      'a: "jeton_s3cret',
      'a: *jeton_s3cret',
      'a: !jeton_s3cret x',
      '- jeton_s3cret\nb',
      '&jeton_s3cret a: &jeton_s3cret &jeton_s3cret b',
      'a: "\\jeton_s3cret"',
      '%jeton_s3cret\n---\na',
    ]) {
      const problems = problemsIn(text)
      expect(problems, text).not.toEqual([])
      expect(problems.join()).not.toContain('s3cret')
    }
  })

  test('reads YAML 1.2, whatever version the file declares: yes and on are text', () => {
    expect(parseConfigText('%YAML 1.1\n---\na: [yes, on, 1:30, 2001-01-01]\n"<<": { b: 1 }')).toEqual({
      a: ['yes', 'on', '1:30', '2001-01-01'],
      '<<': { b: 1 },
    })
  })

  test('keeps keys as they are written', () => {
    expect(parseConfigText('1.10: a\ntrue: b\n~: c\n007: d')).toEqual({
      '1.10': 'a',
      true: 'b',
      '~': 'c',
      '007': 'd',
    })
  })

  test('reads JSON as JSON.parse does, however it is indented', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ noUnicodeString: false }),
        fc.constantFrom(undefined, 2, '\t'),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent)
          expect(parseConfigText(text)).toEqual(JSON.parse(text))
        },
      ),
    )
  })

  test('keeps numbers in claims as they are written if reading would change them', () => {
    const parseClaims = (claims: string) =>
      parseConfigText(`principal: { claims: ${claims} }\nport: 0x10\nrate: 10.0`)
    expect(parseClaims('{ a: 123456, b: 1.5, c: -7, d: true, e: [1, 1.10, { f: 012 }] }')).toEqual({
      principal: { claims: { a: 123456, b: 1.5, c: -7, d: true, e: [1, '1.10', { f: '012' }] } },
      port: 16,
      rate: 10,
    })
    expect(parseClaims('{ a: &v 1.10, b: [*v] }')).toHaveProperty('principal.claims', {
      a: '1.10',
      b: ['1.10'],
    })
    for (const text of ['1e5', '0x1F', '12345678901234567890', '9007199254740993', '+1', '.5', '1.0', '.inf'])
      expect(parseClaims(`{ a: ${text} }`)).toHaveProperty('principal.claims.a', text)
  })

  test('refuses a number elsewhere that a claim is an alias of, if reading would change it', () => {
    const withNumber = (number: string) => `port: &p ${number}\nclaims: { a: *p }`
    expect(problemsIn(withNumber('0123'))).toEqual([
      '1:10 a number that a claim is an alias of would not be compared as it is written: put it in quotes',
    ])
    expect(parseConfigText(withNumber('"0123"'))).toEqual({ port: '0123', claims: { a: '0123' } })
    expect(parseConfigText(withNumber('123'))).toEqual({ port: 123, claims: { a: 123 } })
  })

  test('resolves anchors', () => {
    const uses = Array.from({ length: 500 }, (_, i) => `g${i}: *users`).join('\n')
    expect(parseConfigText(`a: &users [x, y]\n${uses}`)).toMatchObject({ g499: ['x', 'y'] })
  })

  test('rejects aliases that multiply', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`)}]`)
    expect(problemsIn(['a0: &a0 [x, x]', ...levels].join('\n'))).toEqual([
      '1:1 its aliases stand for too much: write less of it',
    ])
  })

  test.each([
    ['lists', `a: ${'['.repeat(50_000)}`],
    ['closed lists', `a: ${'['.repeat(3000)}${']'.repeat(3000)}`],
    ['mappings', Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ])('survives %s nested without end', async (_, text) => {
    const problems = await problemsOf(text)
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.length).toBeLessThan(10)
  })

  test('rejects an anchor that contains itself', async () => {
    const { databases } = sound()
    const text = [
      `databases: ${JSON.stringify(databases)}`,
      'grants:',
      '  - { name: a, database: orders, users: [app_ro], principal: { issuer: apiKey, claims: &c { a: *c } } }',
    ].join('\n')
    expect(await problemsOf(text)).toEqual([
      'an alias within what it stands for, which would have no end: write it out',
    ])
  })
})
