import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compileWildcard,
  findPatternProblem,
  isOnlyWildcards,
  MAX_VALUE_LENGTH,
} from '../../src/authorization/wildcard.ts'

/** What a pattern means, as plainly as possible. Exponential, so only for short text. */
function matchesNaively(pattern: string, value: string): boolean {
  if (pattern === '') return value === ''
  if (!pattern.startsWith('*'))
    return pattern[0] === value[0] && matchesNaively(pattern.slice(1), value.slice(1))
  const crosses = pattern.startsWith('**')
  const remaining = pattern.slice(crosses ? 2 : 1)
  for (let taken = 0; taken <= value.length; taken++)
    if ((crosses || !value.slice(0, taken).includes('/')) && matchesNaively(remaining, value.slice(taken)))
      return true
  return false
}

const matches = (pattern: string, value: string) => compileWildcard(pattern)(value)

describe('compileWildcard', () => {
  test.each([
    ['main', 'main'],
    ['', ''],
    ['refs/tags/v*', 'refs/tags/v1.2'],
    ['refs/tags/v*', 'refs/tags/v'],
    ['refs/*/main', 'refs/heads/main'],
    ['repo:acme/**', 'repo:acme/app:ref:refs/heads/main'],
    ['**', 'any\nthing/at all'],
    ['**', ''],
    ['*', 'two\nlines'],
    ['***', 'a/b'],
    ['a*b**c', 'a-b/-/c'],
    ['*é*', 'café au lait'],
  ])('makes %j match %j', (pattern, value) => {
    expect(matches(pattern, value)).toBe(true)
  })

  test.each([
    ['the end is anchored', 'main', 'main-anything'],
    ['the beginning is anchored', 'main', 'not-main'],
    ['a newline at the end counts', 'main', 'main\n'],
    ['a newline before it counts', 'main', 'evil\nmain'],
    ['a newline after a wildcard counts', 'v*.0', 'v1.0\n'],
    ['* does not cross a slash', 'refs/heads/*', 'refs/heads/release/1'],
    ['* does not leave the owner', 'acme/*', 'acme/app/evil'],
    ['a look-alike owner', 'acme/*', 'acme-evil/app'],
    ['| is not an alternation', 'main|dev', 'dev'],
    ['( is not a group', '(main)', 'main'],
    ['. is a dot', 'v1.0', 'v1x0'],
    ['. is a dot beside a wildcard', 'v1.*', 'v1x0'],
    ['+ is not a repetition', 'a+', 'aaa'],
    ['? is not a wildcard', 'v?', 'v1'],
    ['[ is not a class', '[ab]*', 'a1'],
    ['\\ escapes nothing', '\\*', '*'],
    ['$ is a dollar', 'main$', 'main'],
    ['case counts', 'Main', 'main'],
    ['beginning and end may not share characters', 'ab*ba', 'aba'],
  ])('obeys: %s, so %j does not match %j', (_rule, pattern, value) => {
    expect(matches(pattern, value)).toBe(false)
  })

  test('matches what the plain definition matches', () => {
    const piece = fc.constantFrom('a', 'b', '/', '\n', '*', '**')
    const pattern = fc.array(piece, { maxLength: 7 }).map(pieces => pieces.join(''))
    const value = fc
      .array(fc.constantFrom('a', 'b', '/', '\n'), { maxLength: 8 })
      .map(chars => chars.join(''))
    fc.assert(
      fc.property(pattern, value, (wanted, found) => {
        expect(matches(wanted, found)).toBe(matchesNaively(wanted.replaceAll(/\*{3,}/g, '**'), found))
      }),
      { numRuns: 2000 },
    )
  })

  test('matches whatever fills its wildcards', () => {
    const literal = fc.string({ maxLength: 5 }).filter(text => !text.includes('*'))
    fc.assert(
      fc.property(literal, fc.string(), literal, (before, run, after) => {
        expect(matches(`${before}**${after}`, before + run + after)).toBe(true)
        expect(matches(`${before}*${after}`, before + run.replaceAll('/', '') + after)).toBe(true)
      }),
    )
  })

  test('matches patterns with more characters than a machine word has bits', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 90 }).map(chars => chars.join(''))
    fc.assert(
      fc.property(text, text, text, (one, two, three) => {
        expect(matches(`**${one}**${two}**`, `${one}/${three}${two}`)).toBe(true)
        expect(matches(`*${one}c${two}*`, `${one}c${two}`)).toBe(true)
        expect(matches(`*${one}c${two}*`, `${one}d${two}`)).toBe(false)
        expect(matches(`**${one}c${two}d**`, `${three}${one}c${two}`)).toBe(false)
      }),
    )
    for (let length = 28; length <= 100; length++) {
      const long = 'ab'.repeat(length).slice(0, length)
      expect(matches(`*${long}*`, `-${long}-`), `${length}`).toBe(true)
      expect(matches(`*${long}*`, `-${long.slice(0, -1)}-`), `${length}`).toBe(false)
    }
  })

  test('looks at each character of a value once, for whatever pattern', () => {
    let looks = 0
    /** Text that counts how often one of its characters is looked at. */
    const counting = (text: string) =>
      ({
        length: text.length,
        startsWith: (part: string) => text.startsWith(part),
        endsWith: (part: string) => text.endsWith(part),
        charCodeAt(position: number) {
          looks++
          return text.charCodeAt(position)
        },
      }) as string
    const text = 'a'.repeat(MAX_VALUE_LENGTH)
    for (const pattern of [
      '*a*a*a*a*a*b',
      '**a**a**a**a**a**ba**',
      `**${'a'.repeat(200)}b**`,
      '*a*a*a*a*a*',
      '**a*a**a*b**',
      'a**b**c',
    ]) {
      looks = 0
      compileWildcard(pattern)(counting(text))
      expect(looks, pattern).toBeLessThanOrEqual(text.length)
    }
    // what is too long is not looked at
    looks = 0
    expect(compileWildcard('**a**')(counting(`${text}a`))).toBe(false)
    expect(looks).toBe(0)
  })

  test('matches no value that is too long, unless it is spelled out', () => {
    const longest = 'a'.repeat(MAX_VALUE_LENGTH)
    for (const pattern of ['*', '**', 'a*', '*a', 'a*a**a']) {
      expect(matches(pattern, longest)).toBe(true)
      expect(matches(pattern, `${longest}a`)).toBe(false)
    }
    expect(matches(`${longest}a`, `${longest}a`)).toBe(true)
  })
})

describe('findPatternProblem', () => {
  test('finds none in a long value, in one long run, and at the limits', () => {
    const sound = ['main', '', 'a*b**c', '*'.repeat(500), 'x'.repeat(5000), `*${'x'.repeat(511)}`]
    for (const pattern of [...sound, '*a*b*c*d*e*f*g*']) expect(findPatternProblem(pattern)).toBeUndefined()
  })

  test('finds more than 8 wildcards, and a wildcard in a long pattern', () => {
    expect(findPatternProblem('*a*b*c*d*e*f*g*h*')).toBe(
      'has 9 wildcards, and 8 are the most that a pattern may have: write several values',
    )
    expect(findPatternProblem(`**${'x'.repeat(511)}`)).toBe(
      'has a wildcard and more than 512 characters: shorten it, or write the value out',
    )
  })
})

describe('isOnlyWildcards', () => {
  test('is true of patterns that demand nothing', () => {
    expect(['*', '**', '***'].every(isOnlyWildcards)).toBe(true)
    expect(['', 'a*', '*/*', '*\n'].some(isOnlyWildcards)).toBe(false)
  })
})
