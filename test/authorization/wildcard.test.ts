import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileWildcard, isOnlyWildcards } from '../../src/authorization/wildcard.ts'

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

  test('returns at once for patterns that backtracking would not return from', () => {
    const value = 'a'.repeat(20_000)
    expect(matches('*a*a*a*a*a*b', value)).toBe(false)
    expect(matches('**a**a**a**a**a**ba**', value)).toBe(false)
    expect(matches('*a*a*a*a*a*', value)).toBe(true)
  })
})

describe('isOnlyWildcards', () => {
  test('is true of patterns that demand nothing', () => {
    expect(['*', '**', '***'].every(isOnlyWildcards)).toBe(true)
    expect(['', 'a*', '*/*', '*\n'].some(isOnlyWildcards)).toBe(false)
  })
})
