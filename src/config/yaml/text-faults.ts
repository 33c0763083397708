/** One thing for which a text cannot be read, in plain words that quote nothing of it. */
export interface TextFault {
  /** Where it is in the text. */
  readonly offset: number
  readonly message: string
}

const NUL = '\u0000'
/** What decoding puts in the place of bytes that are no UTF-8. */
const UNDECODABLE = '\ufffd'
const CONFLICT_MARK = /^(?:<{7}|={7}|>{7}|\|{7})(?=\s|$)/m
/** Spaces that look like the ones YAML is indented with. */
const ODD_INDENT = /^[ \t]*[\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]/m
/** A text may begin with one byte order mark. */
const SECOND_MARK = /\ufeff/

/** Returns why a decoded file is no text that YAML could be: its encoding, its line ends, or what a merge left in it. */
export function findTextFault(text: string): TextFault | undefined {
  const nul = text.indexOf(NUL)
  const isUtf16 = nul >= 0 && (text.startsWith(UNDECODABLE) || /^(?:[^\0]\0){2}|^(?:\0[^\0]){2}/.test(text))
  if (isUtf16) return { offset: 0, message: 'is UTF-16: save the file as UTF-8' }
  if (nul >= 0) return { offset: nul, message: 'a NUL character: the file must be text in UTF-8' }
  const undecodable = text.indexOf(UNDECODABLE)
  if (undecodable >= 0)
    return { offset: undecodable, message: 'a character that is not UTF-8: save the file as UTF-8' }
  if (text.includes('\r') && !text.includes('\n'))
    return { offset: text.indexOf('\r'), message: 'lines end in CR alone: end them in LF or CRLF' }
  const conflict = CONFLICT_MARK.exec(text)
  if (conflict) return { offset: conflict.index, message: 'a mark of a merge conflict: resolve the conflict' }
  return undefined
}

/** Returns the first indentation that has more than spaces and tabs; such a file is YAML, but means something else. */
export function findOddIndent(text: string): TextFault | undefined {
  const indent = ODD_INDENT.exec(text)
  if (!indent) return undefined
  const offset = indent.index + indent[0].length - 1
  const mark = SECOND_MARK.test(indent[0])
    ? 'a byte order mark within the file'
    : 'a no-break or other odd space'
  return { offset, message: `${mark} in the indentation: indent with spaces` }
}
