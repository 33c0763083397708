import { write, writeSync } from 'node:fs'

const STDERR = 2
/** How long a pipe that is full gets before it is tried again. */
const RETRY_MS = 100

export interface LineStream {
  write(line: string): void
}

/**
 * Returns a stream that writes to stderr in order and waits for no reader. What is left when the process exits is written
 * then. Once nobody can read, as in a terminal that is closed, it is silent. pino's own destination would try for ever to
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
    // what is being written may arrive yet, and must not arrive twice
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
