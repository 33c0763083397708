/** Says whether a value is what a pattern wants. */
export type Matcher = (value: string) => boolean

/** A run of stars: `crosses` where it may hold a '/' as well. */
interface Wildcard {
  readonly crosses: boolean
}

/**
 * Gives the matcher of a pattern: `*` is a run without '/', `**` any run, newlines included, both maybe empty; all else
 * stands for itself, and the pattern covers the whole value.
 *
 * Values are chosen by whoever asks, so no regular expression is made and nothing backtracks: a match costs at most
 * the length of the pattern times the length of the value. Text is compared by UTF-16 code units: neither case nor
 * Unicode form is folded.
 */
export function compileWildcard(text: string): Matcher {
  const first = text.indexOf('*')
  if (first < 0) return value => value === text
  const last = text.lastIndexOf('*')
  const before = text.slice(0, first)
  const after = text.slice(last + 1)
  const tokens = tokenize(text.slice(first, last + 1))
  return value =>
    value.length >= before.length + after.length &&
    value.startsWith(before) &&
    value.endsWith(after) &&
    accepts(tokens, value.slice(before.length, value.length - after.length))
}

/** True of patterns made of stars alone: they want nothing. */
export function isOnlyWildcards(text: string): boolean {
  return /^\*+$/.test(text)
}

function tokenize(text: string): (string | Wildcard)[] {
  const tokens: (string | Wildcard)[] = []
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '*') {
      tokens.push(text.charAt(i))
      continue
    }
    const start = i
    while (text[i + 1] === '*') i++
    tokens.push({ crosses: i > start })
  }
  return tokens
}

/** Walks all readings of the pattern side by side: `reached[i]` says that the first i tokens can cover what was read. */
function accepts(tokens: readonly (string | Wildcard)[], value: string): boolean {
  let reached = new Uint8Array(tokens.length + 1)
  let next = new Uint8Array(tokens.length + 1)
  reached[0] = 1
  skipWildcards(tokens, reached)
  for (let at = 0; at < value.length; at++) {
    const char = value.charAt(at)
    let alive = false
    next.fill(0)
    tokens.forEach((token, i) => {
      if (!reached[i]) return
      const stays = typeof token !== 'string'
      if (stays ? !token.crosses && char === '/' : token !== char) return
      next[stays ? i : i + 1] = 1
      alive = true
    })
    if (!alive) return false
    skipWildcards(tokens, next)
    ;[reached, next] = [next, reached]
  }
  return reached[tokens.length] === 1
}

/** A wildcard may be empty, so what reaches it reaches what follows it. */
function skipWildcards(tokens: readonly (string | Wildcard)[], reached: Uint8Array): void {
  tokens.forEach((token, i) => {
    if (reached[i] && typeof token !== 'string') reached[i + 1] = 1
  })
}
