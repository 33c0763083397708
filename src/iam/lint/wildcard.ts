import { UNKNOWN } from './texts.ts'

/**
 * Whether a pattern of IAM matches a text: `*` is any run of characters, `?` any one. Variables and UNKNOWN count as any run.
 * Takes time proportional to the product of both lengths at worst, because patterns come from files.
 */
export function matches(pattern: string, text: string): boolean {
  const glob = pattern.replace(/\$\{[^}]*\}/g, '*').replaceAll(UNKNOWN, '*')
  let textAt = 0
  let globAt = 0
  /** The last `*` met, and how far into the text it reaches so far. */
  let starAt = -1
  let starEnd = 0
  while (textAt < text.length) {
    if (glob[globAt] === '*') {
      starAt = globAt++
      starEnd = textAt
    } else if (globAt < glob.length && (glob[globAt] === '?' || glob[globAt] === text[textAt])) {
      globAt++
      textAt++
    } else if (starAt >= 0) {
      globAt = starAt + 1
      textAt = ++starEnd
    } else return false
  }
  while (glob[globAt] === '*') globAt++
  return globAt === glob.length
}

/** Whether a text has `*` or `?` outside of variables. */
export function hasWildcard(text: string): boolean {
  return /[*?]/.test(withoutVariables(text))
}

/** Whether a text means only itself: it has no wildcard, no variable and nothing UNKNOWN. */
export function isLiteral(text: string): boolean {
  return !hasWildcard(text) && !text.includes(UNKNOWN) && withoutVariables(text) === text
}

function withoutVariables(text: string): string {
  return text.replace(/\$\{[^}]*\}/g, '')
}
