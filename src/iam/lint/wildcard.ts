import { UNKNOWN } from './texts.ts'

/**
 * Whether a pattern of IAM matches a text: `*` is any run, `?` any one character. A variable, and what is not known, count
 * as any run. In time proportional to both lengths at worst: patterns come from files.
 */
export function matches(pattern: string, text: string): boolean {
  const wanted = pattern.replace(/\$\{[^}]*\}/g, '*').replaceAll(UNKNOWN, '*')
  let at = 0
  let star = -1
  let resume = 0
  let i = 0
  while (at < text.length) {
    if (wanted[i] === '*') {
      star = i++
      resume = at
    } else if (i < wanted.length && (wanted[i] === '?' || wanted[i] === text[at])) {
      i++
      at++
    } else if (star >= 0) {
      i = star + 1
      at = ++resume
    } else return false
  }
  while (wanted[i] === '*') i++
  return i === wanted.length
}

export function hasWildcard(text: string): boolean {
  return /[*?]/.test(withoutVariables(text))
}

/** Whether all of it is as it stands: no wildcard, no variable, nothing that is not known. */
export function isLiteral(text: string): boolean {
  return !hasWildcard(text) && !text.includes(UNKNOWN) && withoutVariables(text) === text
}

function withoutVariables(text: string): string {
  return text.replace(/\$\{[^}]*\}/g, '')
}
