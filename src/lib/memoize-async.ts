/** Makes what is asked for when it is first asked for, and once, however many ask; where that fails, the next to ask tries again. */
export function memoizeAsync<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch(cause => {
      made = undefined
      throw cause
    })
    return made
  }
}
