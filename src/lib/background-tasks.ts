/** Work that no request waits for, but that must end before the process closes, or freezes on Lambda. */
export interface BackgroundTasks {
  /** Tracks a promise until it settles. Rejections are ignored: the caller must have logged them. */
  add(task: Promise<unknown>): void
  /** Resolves when every task has settled, including those added meanwhile. Has no time limit. */
  drain(): Promise<void>
}

/** Returns an empty set of background tasks. */
export function createBackgroundTasks(): BackgroundTasks {
  const pending = new Set<Promise<unknown>>()
  return {
    add(task) {
      const settled: Promise<unknown> = task.catch(() => {}).finally(() => pending.delete(settled))
      pending.add(settled)
    },
    async drain() {
      while (pending.size > 0) await Promise.all(pending)
    },
  }
}
