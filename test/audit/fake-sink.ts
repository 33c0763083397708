import type { Sink } from '../../src/audit/sink.ts'

/** A log in memory that fails, or holds its batches back, when it is told to. */
export function fakeSink(name = 'fake') {
  const batches: string[][] = []
  let isHeld = false
  let failure: Error | undefined
  let release: (() => void)[] = []
  let isClosed = false
  const sink: Sink = {
    name,
    async append(lines) {
      if (isHeld) await new Promise<void>(resolve => release.push(resolve))
      if (failure) throw failure
      batches.push([...lines])
    },
    head: () => (batches.length > 0 ? `head-${batches.length}` : undefined),
    async close() {
      isClosed = true
    },
  }
  return {
    sink,
    batches,
    isClosed: () => isClosed,
    records: () => batches.flat().map(text => JSON.parse(text)),
    ids: () => batches.flat().map(text => JSON.parse(text).id),
    fail(error: Error | undefined) {
      failure = error
    },
    /** Batches hang from now on, until they are let go. */
    hold() {
      isHeld = true
    },
    letGo() {
      isHeld = false
      for (const go of release) go()
      release = []
    },
    held: () => release.length,
  }
}
