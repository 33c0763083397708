import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countText } from '../../src/lib/count-text.ts'
import {
  escapeJson,
  escapeText,
  escapeUnprintable,
  printableJson,
  shorten,
  shortenForJson,
} from '../../src/lib/printable.ts'
import { HOSTILE_CHARACTERS, hostileText, RAW } from '../support/hostile-text.ts'

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

test.each(Object.entries(HOSTILE_CHARACTERS))('all escape %s', (_what, char) => {
  const units = char.split('').map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const escaped = `a${units.join('')}b`
  expect(escapeText(`a${char}b`)).toBe(escaped)
  expect(escapeUnprintable(`a${char}b`)).toBe(escaped)
  expect(printableJson(`a${char}b`)).toBe(`"${escaped}"`)
})

test('escapeText leaves nothing that breaks a line, and nothing that JSON could not read back', () => {
  fc.assert(
    fc.property(fc.oneof(hostileText, fc.string({ unit: 'binary' })), text => {
      expect(escapeText(text)).not.toMatch(RAW)
      expect(JSON.parse(`"${escapeText(text)}"`)).toBe(text)
    }),
  )
})

test('escapeUnprintable leaves quotation marks, backslashes and visible text, and escapes once', () => {
  expect(escapeUnprintable('"C:\\日本" 😀\n\u009b')).toBe('"C:\\日本" 😀\\n\\u009b')
  fc.assert(
    fc.property(hostileText, text => {
      const escaped = escapeUnprintable(text)
      expect(escaped).not.toMatch(RAW)
      expect(escapeUnprintable(escaped)).toBe(escaped)
    }),
  )
})

test('printableJson parses to the same value, on one line or indented', () => {
  fc.assert(
    fc.property(fc.dictionary(hostileText, fc.array(hostileText)), value => {
      const [line, indented] = [printableJson(value), printableJson(value, 2)]
      expect(line).not.toMatch(RAW)
      expect(indented.replaceAll('\n', '')).not.toMatch(RAW)
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(indented.split('\n')).toHaveLength(JSON.stringify(value, undefined, 2).split('\n').length)
      expect(JSON.parse(indented)).toEqual(JSON.parse(line))
    }),
  )
})

test('escapeJson leaves JSON without anything unprintable as it is', () => {
  const json = '{\n\t"a": "\\u001b \\" \\\\ é 日本 😀"\r\n}'
  expect(escapeJson(json)).toBe(json)
})

test('shortenForJson bounds the bytes of the rendered text, and leaves what fits', () => {
  const rendered = (text: string) => Buffer.byteLength(printableJson(text)) - 2
  fc.assert(
    fc.property(hostileText, fc.integer({ min: 3, max: 120 }), (text, maxBytes) => {
      const short = shortenForJson(text, maxBytes)
      expect(rendered(short)).toBeLessThanOrEqual(maxBytes)
      if (rendered(text) <= maxBytes) expect(short).toBe(text)
      else expect(text.startsWith(short.replace(/…$/, ''))).toBe(true)
    }),
  )
})

test.each([
  ['ASCII', 'x'.repeat(20), 10, `${'x'.repeat(7)}…`],
  ['text of more bytes', '日本語日本語', 10, '日本…'],
  ['what is escaped', '\u009b'.repeat(9), 16, '\u009b\u009b…'],
  ['quotation marks', '"'.repeat(20), 10, '"""…'],
  ['a surrogate pair, whole', 'abc😀😀', 10, 'abc😀…'],
])('shortenForJson cuts %s', (_what, text, maxBytes, short) => {
  expect(shortenForJson(text, maxBytes)).toBe(short)
})
