const SECOND_MS = 1000

/** The items of the second that ends now: of two items exactly a second apart, only the later one. */
export interface SlidingSecond<T> {
  /** Removes the items that are a second old. */
  advanceTo(now: number): void
  /** `at` must not be before that of an earlier item. */
  add(at: number, item: T): void
  size(): number
}

/** `onRemoved` is called for each item that leaves the window. */
export function createSlidingSecond<T>(onRemoved?: (item: T) => void): SlidingSecond<T> {
  let entries: { at: number; item: T }[] = []
  let head = 0
  return {
    advanceTo(now) {
      for (let first = entries[head]; first && first.at <= now - SECOND_MS; first = entries[head]) {
        onRemoved?.(first.item)
        head++
      }
      if (head > 1000 && head * 2 > entries.length) {
        entries = entries.slice(head)
        head = 0
      }
    },
    add: (at, item) => void entries.push({ at, item }),
    size: () => entries.length - head,
  }
}

/** Returns the most of `times` (ms, sorted) that fall into any sliding second. */
export function busiestSecond(times: readonly number[]): number {
  const window = createSlidingSecond<undefined>()
  let most = 0
  for (const at of times) {
    window.advanceTo(at)
    window.add(at, undefined)
    most = Math.max(most, window.size())
  }
  return most
}
