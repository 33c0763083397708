import type { Writable } from 'node:stream'
import type { Sink } from '../sink.ts'

/**
 * Creates a sink that writes each batch to `stream` at once. `append` resolves when the stream took it: for stdout, when
 * the kernel has it. That is NOT durable: the reader at the other end may still lose it. `append` rejects if the write
 * fails (`EPIPE`: the reader is gone) and waits while the reader does not read. No hash chain. Does not end the stream.
 */
export function createStdoutSink(stream: Writable): Sink {
  // without a listener, a stream's error ends the process; each write gets the error in its callback as well
  const ignoreError = () => {}
  stream.on('error', ignoreError)
  return {
    name: 'stdout',
    append: lines =>
      new Promise((resolve, reject) => {
        stream.write(`${lines.join('\n')}\n`, error => (error ? reject(error) : resolve()))
      }),
    headHash: () => undefined,
    close: async () => void stream.off('error', ignoreError),
  }
}
