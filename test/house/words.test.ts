import { expect, test } from 'vitest'
import { formsOf, hasPhrase, wordsOf } from './words.ts'

test.each([
  'RoleBreaker',
  'roleBreaker',
  'role-breaker',
  'ROLE_BREAKER',
  'role breaker',
  'Role  breaker',
  ' role\nbreaker',
])('words of %j are the same', text => {
  expect(wordsOf(text)).toBe(' role breaker ')
})

test('an abbreviation ends where a word begins', () => {
  expect(wordsOf('createKMSKeyring2Of')).toBe(' create kms keyring2 of ')
})

test('a phrase goes on over the lines of a comment', () => {
  const forms = formsOf('role breaker')
  expect(hasPhrase(wordsOf('/**\n * what the role\n * breaker does\n */'), forms)).toBe(true)
  expect(hasPhrase(wordsOf('// what the role\n  // breaker does'), forms)).toBe(true)
})

test.each([
  ['roleBreakers', true],
  ['the role breakers of a fleet', true],
  ['breakerRole', false],
  ['role(breaker)', false],
  ['role: Breaker', false],
  ['controleBreaker', false],
  ['roleBreakerage', false],
])('a phrase in %j: %s', (text, expected) => {
  expect(hasPhrase(wordsOf(text), formsOf('role breaker'))).toBe(expected)
})

test.each([
  ['box', 'boxes'],
  ['policy', 'policies'],
  ['slot', 'slots'],
])('the plural of %s may be %s', (word, plural) => {
  expect(formsOf(word)).toContain(` ${plural} `)
})
