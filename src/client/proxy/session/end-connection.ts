import type { Duplex } from 'node:stream'

/** Sends what waits, ends the side, and calls `onFinished` when the system has it all. */
export function finishWriting(stream: Duplex, onFinished: () => void): void {
  if (stream.destroyed || stream.writableFinished) onFinished()
  else stream.once('finish', onFinished).end()
}

/** Closes a connection that this side has ended once the other has ended, too, or after `lingerMs`: what came is not cut off. */
export function lingerOn(stream: Duplex, lingerMs: number): void {
  if (stream.destroyed) return
  if (stream.readableEnded) return void stream.destroy()
  const timer = setTimeout(() => stream.destroy(), lingerMs)
  timer.unref()
  stream.once('end', () => stream.destroy()).once('close', () => clearTimeout(timer))
  stream.resume()
}

/** Resolves when a connection is closed on both sides. */
export function closed(stream: Duplex): Promise<void> {
  return new Promise(resolve => {
    if (stream.closed) resolve()
    else stream.once('close', resolve)
  })
}
