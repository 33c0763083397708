import type { Writable } from 'node:stream'
import type { Sink } from '../sink.ts'

/**
 * Writes each batch to `stream` at once and resolves when the stream took it: for stdout, when the kernel has it.
 * That is NOT durable: what reads the other end may still lose it. Rejects where the write fails (`EPIPE`: the reader is
 * gone) and waits where the reader does not read. No chain. Does not end the stream.
 */
export function createStdoutSink(stream: Writable): Sink {
  // A stream's error is thrown at the process unless somebody listens; each write gets it in its callback all the same.
  const heard = () => {}
  stream.on('error', heard)
  return {
    name: 'stdout',
    append: lines =>
      new Promise((resolve, reject) => {
        stream.write(`${lines.join('\n')}\n`, error => (error ? reject(error) : resolve()))
      }),
    head: () => undefined,
    close: async () => void stream.off('error', heard),
  }
}
