import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countText, escapeText, shorten } from '../../src/lib/printable.ts'

test.each([
  [0, '0 grants'],
  [1, '1 grant'],
  [2, '2 grants'],
])('countText of %i has the plural unless it is one', (count, text) => {
  expect(countText(count, 'grant')).toBe(text)
})

test('shorten leaves text that fits, and ends longer text with an ellipsis', () => {
  expect(shorten('abcd', 4)).toBe('abcd')
  expect(shorten('abcde', 4)).toBe('abc…')
})

test('shorten does not cut a surrogate pair in two', () => {
  expect(shorten('ab😀cd', 4)).toBe('ab…')
})

test.each([
  ['line breaks', 'a\nb\r\u2028\u2029', 'a\\nb\\r\\u2028\\u2029'],
  ['control characters', '\u0000\u001b\u007f\u0085', '\\u0000\\u001b\\u007f\\u0085'],
  ['what changes the direction of writing', '\u202e\u2066', '\\u202e\\u2066'],
  ['quotes and backslashes', '"\\', '\\"\\\\'],
  ['a lone surrogate', '\ud800', '\\ud800'],
  ['an invisible character beyond U+FFFF', '\u{e0001}', '\\udb40\\udc01'],
  ['nothing in visible text', 'café 😀 日本', 'café 😀 日本'],
])('escapeText escapes %s', (_what, text, escaped) => {
  expect(escapeText(text)).toBe(escaped)
})

test('escapeText leaves nothing that breaks a line, and nothing that JSON could not read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(escapeText(text)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
      expect(JSON.parse(`"${escapeText(text)}"`)).toBe(text)
    }),
  )
})
