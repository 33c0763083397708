const SECOND_MS = 1000

/** What fell into the second that ends now: of two things exactly a second apart, one. */
export interface SlidingSecond<T> {
  /** Forgets what is a second old, told one by one where `onGone` is given. */
  goOnTo(now: number): void
  /** `at` never goes back. */
  add(at: number, what: T): void
  size(): number
}

export function slidingSecond<T>(onGone?: (what: T) => void): SlidingSecond<T> {
  let held: { at: number; what: T }[] = []
  let head = 0
  return {
    goOnTo(now) {
      for (let first = held[head]; first && first.at <= now - SECOND_MS; first = held[head]) {
        onGone?.(first.what)
        head++
      }
      if (head > 1000 && head * 2 > held.length) {
        held = held.slice(head)
        head = 0
      }
    },
    add: (at, what) => void held.push({ at, what }),
    size: () => held.length - head,
  }
}

/** The most that fall into any sliding second; `times` (ms) in order. */
export function busiestSecond(times: readonly number[]): number {
  const window = slidingSecond<undefined>()
  let most = 0
  for (const at of times) {
    window.goOnTo(at)
    window.add(at, undefined)
    most = Math.max(most, window.size())
  }
  return most
}
