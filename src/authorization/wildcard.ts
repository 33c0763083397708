/** Whether a value matches a pattern. */
export type WildcardMatcher = (value: string) => boolean

/** A run of stars in a pattern. */
interface Wildcard {
  /** Whether it has two stars or more, and so matches '/' too. */
  readonly isDouble: boolean
}

type PatternToken = string | Wildcard

/**
 * Returns the matcher of a pattern: `*` is a run without '/', `**` any run, newlines included, and both may be empty; all
 * else stands for itself, and the pattern covers the whole value. Callers choose the values, so there is no regular
 * expression and no backtracking: a match costs at most the pattern's length times the value's. Text is compared by UTF-16
 * code units; neither case nor Unicode form is folded.
 */
export function compileWildcard(pattern: string): WildcardMatcher {
  const first = pattern.indexOf('*')
  if (first < 0) return value => value === pattern
  const last = pattern.lastIndexOf('*')
  const before = pattern.slice(0, first)
  const after = pattern.slice(last + 1)
  const tokens = tokenize(pattern.slice(first, last + 1))
  return value =>
    value.length >= before.length + after.length &&
    value.startsWith(before) &&
    value.endsWith(after) &&
    matchesTokens(tokens, value.slice(before.length, value.length - after.length))
}

/** Whether a pattern consists of stars alone, so that it demands nothing. */
export function isOnlyWildcards(pattern: string): boolean {
  return /^\*+$/.test(pattern)
}

function tokenize(pattern: string): PatternToken[] {
  const tokens: PatternToken[] = []
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] !== '*') {
      tokens.push(pattern.charAt(i))
      continue
    }
    const start = i
    while (pattern[i + 1] === '*') i++
    tokens.push({ isDouble: i > start })
  }
  return tokens
}

/** Follows all readings of the pattern at once: `reached[i]` is 1 if the first i tokens can cover the characters so far. */
function matchesTokens(tokens: readonly PatternToken[], value: string): boolean {
  let reached = new Uint8Array(tokens.length + 1)
  let next = new Uint8Array(tokens.length + 1)
  reached[0] = 1
  skipWildcards(tokens, reached)
  for (let position = 0; position < value.length; position++) {
    const char = value.charAt(position)
    let isAlive = false
    next.fill(0)
    tokens.forEach((token, i) => {
      if (!reached[i]) return
      const isWildcard = typeof token !== 'string'
      if (isWildcard ? !token.isDouble && char === '/' : token !== char) return
      next[isWildcard ? i : i + 1] = 1
      isAlive = true
    })
    if (!isAlive) return false
    skipWildcards(tokens, next)
    ;[reached, next] = [next, reached]
  }
  return reached[tokens.length] === 1
}

/** A wildcard may be empty, so whatever reaches it also reaches the token after it. */
function skipWildcards(tokens: readonly PatternToken[], reached: Uint8Array): void {
  tokens.forEach((token, i) => {
    if (reached[i] && typeof token !== 'string') reached[i + 1] = 1
  })
}
