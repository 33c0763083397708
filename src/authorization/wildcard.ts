/** Whether a value matches a pattern. */
export type WildcardMatcher = (value: string) => boolean

/** In UTF-16 units; no value that is longer matches a wildcard. The longest that are known are SPIFFE IDs: 2048 bytes. */
export const MAX_VALUE_LENGTH = 2048
const MAX_PATTERN_LENGTH = 512
const MAX_WILDCARDS = 8

/**
 * Returns the matcher of a pattern: `*` is a run without '/', `**` any run, newlines included, and both may be empty; all
 * else stands for itself, and the pattern covers the whole value. Callers choose the values, so there is no regular
 * expression and no backtracking: each character is looked at once, and values of more than 2048 match nothing, unless the
 * pattern has no wildcard. Text is compared by UTF-16 code units; neither case nor Unicode form is folded.
 */
export function compileWildcard(pattern: string): WildcardMatcher {
  const first = pattern.indexOf('*')
  if (first < 0) return value => value === pattern
  const last = pattern.lastIndexOf('*')
  const before = pattern.slice(0, first)
  const after = pattern.slice(last + 1)
  const matchesMiddle = compileMiddle(pattern.slice(first, last + 1))
  return value =>
    value.length <= MAX_VALUE_LENGTH &&
    value.length >= before.length + after.length &&
    value.startsWith(before) &&
    value.endsWith(after) &&
    matchesMiddle(value, { from: before.length, to: value.length - after.length })
}

/** Whether a pattern consists of stars alone, so that it demands nothing. */
export function isOnlyWildcards(pattern: string): boolean {
  return /^\*+$/.test(pattern)
}

/** Returns what is wrong with a pattern that somebody configures, and what to write; undefined if nothing is. */
export function findPatternProblem(pattern: string): string | undefined {
  if (!pattern.includes('*')) return undefined
  const wildcards = pattern.match(/\*+/g)?.length ?? 0
  if (wildcards > MAX_WILDCARDS)
    return `has ${wildcards} wildcards, and ${MAX_WILDCARDS} are the most that a pattern may have: write several values`
  if (pattern.length > MAX_PATTERN_LENGTH)
    return `has a wildcard and more than ${MAX_PATTERN_LENGTH} characters: shorten it, or write the value out`
  return undefined
}

/** Sets of states: bit i is set if the first i characters of the pattern, wildcards aside, cover the value so far. */
interface Transitions {
  readonly states: number
  /** For each character, the states that are reached with it from the state before. */
  readonly reachedBy: ReadonlyMap<number, Int32Array>
  /** The states that `**` stays in with any character. */
  readonly anyRun: Int32Array
  /** The states that `*` or `**` stays in with any character but '/'. */
  readonly run: Int32Array
}

const SLASH = '/'.charCodeAt(0)

/** Follows all readings of the pattern at once, 32 states at a time: the Shift-And algorithm of Baeza-Yates and Gonnet. */
function compileMiddle(pattern: string): (value: string, range: { from: number; to: number }) => boolean {
  if (pattern === '*') return (value, { from, to }) => !value.slice(from, to).includes('/')
  if (isOnlyWildcards(pattern)) return () => true
  const { states, reachedBy, anyRun, run } = compileTransitions(pattern)
  const words = anyRun.length
  const none = new Int32Array(words)
  const current = new Int32Array(words)

  return (value, { from, to }) => {
    current.fill(0)
    current[0] = 1
    for (let position = from; position < to; position++) {
      const char = value.charCodeAt(position)
      const reached = reachedBy.get(char) ?? none
      const stays = char === SLASH ? anyRun : run
      let carry = 0
      let alive = 0
      for (let word = 0; word < words; word++) {
        const before = current[word] ?? 0
        const next = (((before << 1) | carry) & (reached[word] ?? 0)) | (before & (stays[word] ?? 0))
        carry = before >>> 31
        current[word] = next
        alive |= next
      }
      if (alive === 0) return false
    }
    return hasBit(current, states - 1)
  }
}

function compileTransitions(pattern: string): Transitions {
  const parts = pattern.match(/\*+|[^*]/gs) ?? []
  const states = 1 + parts.filter(part => !part.startsWith('*')).length
  const emptySet = () => new Int32Array(Math.ceil(states / 32))
  const reachedBy = new Map<number, Int32Array>()
  const [anyRun, run] = [emptySet(), emptySet()]
  let state = 0
  for (const part of parts) {
    if (part.startsWith('*')) {
      setBit(run, state)
      if (part.length > 1) setBit(anyRun, state)
      continue
    }
    state++
    const char = part.charCodeAt(0)
    const set = reachedBy.get(char) ?? emptySet()
    setBit(set, state)
    reachedBy.set(char, set)
  }
  return { states, reachedBy, anyRun, run }
}

function setBit(set: Int32Array, bit: number): void {
  const word = bit >>> 5
  set[word] = (set[word] ?? 0) | (1 << (bit & 31))
}

function hasBit(set: Int32Array, bit: number): boolean {
  return (((set[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1
}
