import { onTestFinished, vi } from 'vitest'

/** The deadlines of this process that `AbortSignal.timeout` makes, which the machine's time does not reach. */
export interface HeldDeadlines {
  /** Lets all deadlines of `ms` pass, once there is one and `isTime` is true. */
  pass(ms: number, isTime?: () => boolean): Promise<void>
}

/** Holds the deadlines that begin from now on until the test ends. They pass when the test says so, and never by themselves. */
export function holdDeadlines(): HeldDeadlines {
  const held: { ms: number; controller: AbortController }[] = []
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(ms => {
    const controller = new AbortController()
    held.push({ ms, controller })
    return controller.signal
  })
  onTestFinished(() => timeout.mockRestore())
  return {
    async pass(ms, isTime = () => true) {
      const due = () => held.filter(deadline => deadline.ms === ms)
      await vi.waitUntil(() => due().length > 0 && isTime(), { timeout: 20_000, interval: 5 })
      for (const { controller } of due())
        controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
    },
  }
}
