import { write, writeSync } from 'node:fs'

const STDERR = 2
/** How long a pipe that is full gets before it is tried again. */
const RETRY_MS = 100
/** How long the end of the process waits for a write that has begun, which another thread does. */
const LAST_WRITE_MS = 50

export interface LineStream {
  write(line: string): void
}

/**
 * Returns a stream that writes to stderr in order and waits for no reader. What is left when the process exits is written
 * then, and what was being written at that moment before it, or last if the machine is too busy. Once nobody can read, as in a terminal that is closed, it is silent. pino's own destination would try for ever to
 * write what is left, and keep the process from its end.
 */
export function createStderrStream(): LineStream {
  let waiting = ''
  let begun = Buffer.alloc(0)
  let isWriting = false
  let isSilent = false

  function writeNext(): void {
    if (isWriting || isSilent) return
    if (begun.length === 0) {
      begun = Buffer.from(waiting)
      waiting = ''
    }
    if (begun.length === 0) return
    isWriting = true
    write(STDERR, begun, (cause, written) => {
      isWriting = false
      begun = begun.subarray(written)
      if (cause === null) writeNext()
      else if (cause.code === 'EAGAIN') setTimeout(writeNext, RETRY_MS)
      else isSilent = true
    })
  }

  process.once('exit', () => {
    // what is being written arrives by itself, and must neither arrive twice nor come after the rest
    if (isWriting && !isSilent) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_WRITE_MS)
    let rest = Buffer.concat([isWriting ? Buffer.alloc(0) : begun, Buffer.from(waiting)])
    try {
      while (rest.length > 0 && !isSilent) rest = rest.subarray(writeSync(STDERR, rest))
    } catch {
      // nobody reads it, or not now
    }
  })

  return {
    write(line) {
      if (isSilent) return
      waiting += line
      writeNext()
    },
  }
}
