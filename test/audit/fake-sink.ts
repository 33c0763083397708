import type { Sink } from '../../src/audit/sink.ts'

/** A sink in memory that fails, or holds its batches back, on demand. */
export function fakeSink(name = 'fake') {
  const batches: string[][] = []
  let isHeld = false
  let failure: Error | undefined
  let releases: (() => void)[] = []
  let isClosed = false
  const sink: Sink = {
    name,
    async append(lines) {
      if (isHeld) await new Promise<void>(resolve => releases.push(resolve))
      if (failure) throw failure
      batches.push([...lines])
    },
    headHash: () => (batches.length > 0 ? `head-${batches.length}` : undefined),
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
    /** From now on batches hang, until `release`. */
    hold() {
      isHeld = true
    },
    release() {
      isHeld = false
      for (const release of releases) release()
      releases = []
    },
  }
}
