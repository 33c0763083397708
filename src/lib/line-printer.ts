import type { Writable } from 'node:stream'
import { systemCode } from './system-error.ts'

/** How much text is written at once. */
const CHUNK_LENGTH = 64 * 1024

/** Writes lines to a stream, many at once, and waits while it takes no more. */
export interface LinePrinter {
  /** Returns false if nobody reads on. Rejects if the stream fails otherwise. */
  print(lines: Iterable<string>): Promise<boolean>
  /** Writes what is left. */
  flush(): Promise<boolean>
}

/** Returns a printer that ends each line with a newline. The stream stays open. */
export function createLinePrinter(stream: Writable): LinePrinter {
  let pending = ''
  let isRead = true
  // the write's own callback has the error, too
  stream.on('error', () => {})

  async function flush(): Promise<boolean> {
    const text = pending
    pending = ''
    if (isRead && text !== '') isRead = await writeTo(stream, text)
    return isRead
  }
  return {
    async print(lines) {
      for (const line of lines) {
        pending += `${line}\n`
        if (pending.length >= CHUNK_LENGTH && !(await flush())) return false
      }
      return isRead
    },
    flush,
  }
}

function writeTo(stream: Writable, text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    stream.write(text, cause => {
      if (cause === undefined || cause === null) resolve(true)
      // the reader, such as `head`, has read enough
      else if (systemCode(cause) === 'EPIPE') resolve(false)
      else reject(cause)
    })
  })
}
