import { isContainer } from './json.ts'

/** What a value weighs beside its text, in characters. */
const WEIGHT_OF_VALUE = 10
/** What aliases may stand for, however short the text is. */
const MAX_ALIASED = 2_000_000

/**
 * Whether a value, parsed from a text of this length, is too large to be walked: aliases of YAML make a short text stand for a
 * huge value. A text without aliases never is. Bounded by what is in memory; the value must not contain itself.
 */
export function isTooLargeFor(textLength: number, value: unknown): boolean {
  // without aliases, two characters make one value at most, such as `a,`
  return expandedWeight(value) > textLength * WEIGHT_OF_VALUE + MAX_ALIASED
}

/**
 * Returns the weight of a value in characters: ten for each value, and those of its texts and keys, with what several parts
 * share counted for each of them, but walked once. Does not recurse.
 */
export function expandedWeight(value: unknown): number {
  const weights = new Map<object, number>()
  const weightOf = (member: unknown) =>
    isContainer(member)
      ? (weights.get(member) ?? 0)
      : WEIGHT_OF_VALUE + (typeof member === 'string' ? member.length : 0)
  const stack: unknown[] = [value]
  while (stack.length > 0) {
    const current = stack.at(-1)
    const isWeighed = !isContainer(current) || weights.has(current)
    const members = isWeighed ? [] : Object.entries(current)
    const unweighed = members.filter(([, member]) => isContainer(member) && !weights.has(member))
    for (const [, member] of unweighed) stack.push(member)
    if (unweighed.length > 0) continue
    stack.pop()
    if (isContainer(current) && !isWeighed)
      weights.set(
        current,
        members.reduce((sum, [key, member]) => sum + key.length + weightOf(member), WEIGHT_OF_VALUE),
      )
  }
  return weightOf(value)
}
