import fc from 'fast-check'

/** What must never stand raw in a line: controls, line breaks, and what is invisible or turns text around. */
export const RAW =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{e0000}-\u{e0fff}]|\u034f|[\u115f\u1160\u3164]|[\ufe00-\ufe0f]|\uffa0/u

/** One of each kind, by name. */
export const HOSTILE_CHARACTERS = {
  'a C0 control': '\u001b',
  'a C1 control, which begins a sequence on terminals': '\u009b',
  'a next line': '\u0085',
  'a delete': '\u007f',
  'a line separator': '\u2028',
  'a paragraph separator': '\u2029',
  'a soft hyphen': '\u00ad',
  'an Arabic letter mark': '\u061c',
  'a zero-width space': '\u200b',
  'a zero-width joiner': '\u200d',
  'a left-to-right mark': '\u200e',
  'a right-to-left mark': '\u200f',
  'a right-to-left embedding': '\u202b',
  'a right-to-left override': '\u202e',
  'a word joiner': '\u2060',
  'a first strong isolate': '\u2068',
  'a pop of an isolate': '\u2069',
  'a byte order mark': '\ufeff',
  'an interlinear annotation': '\ufff9',
  'a Hangul filler': '\u3164',
  'a variation selector': '\ufe0f',
  'a variation selector beyond U+FFFF': '\u{e0100}',
  'a tag': '\u{e0041}',
  'the first half of a surrogate pair': '\ud83d',
  'the second half of a surrogate pair': '\ude00',
  'a private character': '\ue000',
} as const

const unit = fc.integer({ min: 0, max: 0xffff }).map(code => String.fromCharCode(code))

/** Text of any UTF-16 units, with many of those that are hostile, and line breaks that would forge a line. */
export const hostileText = fc
  .array(
    fc.oneof(unit, fc.constantFrom(...Object.values(HOSTILE_CHARACTERS), '\n', '\r', '"', '\\', 'a', '日')),
    {
      maxLength: 40,
    },
  )
  .map(units => units.join(''))
