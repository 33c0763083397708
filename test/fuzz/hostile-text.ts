import type { Choice } from './choice.ts'

const TEXTS = [
  '',
  ' ',
  '0',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  '..%2f..%2f',
  '%00',
  '%c0%af',
  '%zz',
  '%',
  '*',
  '**',
  '$(id)',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '\u0000',
  '\u001b[31m',
  '\u009b31m',
  '\u0085\u2028\u2029',
  '\u202eorders\u2066',
  '\ud800',
  '\ufeff',
  'ｏｒｄｅｒｓ',
  'o\u0301rders',
  '𝓸𝓻𝓭𝓮𝓻𝓼',
  '-1',
  '1e999',
  '9007199254740993',
  'true',
  '[]',
  '{}',
]

/** Returns text that programs stumble over, now and then very long. */
export function hostileText(choice: Choice): string {
  const text = choice.oneOf(TEXTS)
  if (choice.chance(0.1)) return text.repeat(choice.integer(1, 400)).slice(0, 9000)
  return choice.chance(0.2) ? text + choice.oneOf(TEXTS) : text
}

/** Returns `text` with one character removed, doubled, or replaced by another. */
export function misspelt(text: string, choice: Choice): string {
  const at = choice.integer(0, Math.max(0, text.length - 1))
  const middle = choice.oneOf(['', text.slice(at, at + 1).repeat(2), choice.oneOf([...'aZ0-_./ %'])])
  return text.slice(0, at) + middle + text.slice(at + 1)
}

/** Returns `text` as far as a header may have it: bytes, without those that end a line. */
export function asHeaderValue(text: string): string {
  const bytes = Buffer.from(text).filter(byte => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f))
  return Buffer.from(bytes).toString('latin1')
}

/** Returns `text` percent-encoded; half of a surrogate pair becomes U+FFFD. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString())
}
