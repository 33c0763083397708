/** Work that a request leaves behind: nobody waits for it, but it must end before the process closes, or freezes. */
export interface BackgroundTasks {
  /** Takes over the work; what it fails with must have been told by whoever began it. */
  add(work: Promise<unknown>): void
  /** Resolves when all of it has ended, and what that began. */
  drain(): Promise<void>
}

export function createBackgroundTasks(): BackgroundTasks {
  const open = new Set<Promise<unknown>>()
  return {
    add(work) {
      const end: Promise<unknown> = work.catch(() => {}).finally(() => open.delete(end))
      open.add(end)
    },
    async drain() {
      while (open.size > 0) await Promise.all(open)
    },
  }
}
