/** What a program has started and must end, in the order in which it was started. */
export interface Resources {
  /** Starts something that `close` ends, even while it is still starting. Rejects once everything is being closed. */
  start<T>(start: () => Promise<T>, end: (started: T) => Promise<unknown>): Promise<T>
  /** Ends everything, the last first; what fails to end does not keep the others from it. */
  close(): Promise<void>
}

export function createResources(): Resources {
  const ends: (() => Promise<unknown>)[] = []
  let isClosing = false
  return {
    async start(start, end) {
      if (isClosing) throw new Error('the program is ending')
      const starting = start()
      ends.push(() => starting.then(end))
      return starting
    },
    async close() {
      isClosing = true
      for (const end of ends.splice(0).reverse()) await end().catch(() => {})
    },
  }
}
