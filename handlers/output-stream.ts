import { systemCode } from '../src/lib/system-error.ts'

const opened = new Set<'stdout' | 'stderr'>()

/**
 * Returns `process.stdout` or `process.stderr`, to which it is no failure that nobody reads on. Node makes them when they are
 * first asked for, which takes a while: a command that prints nothing on one should not ask for it.
 */
export function outputStream(name: 'stdout' | 'stderr'): NodeJS.WriteStream {
  const stream = process[name]
  if (opened.has(name)) return stream
  opened.add(name)
  stream.on('error', cause => {
    // the reader, such as `head`, has read enough, or the terminal is closed
    if (!['EPIPE', 'EIO'].includes(systemCode(cause) ?? '')) throw cause
  })
  return stream
}
