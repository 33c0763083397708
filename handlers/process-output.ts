import { escapeUnprintable } from '../src/lib/printable.ts'
import { systemCode, systemCodeNote } from '../src/lib/system-error.ts'
import { printNodeWarnings } from '../src/telemetry/node-warnings.ts'

/** The streams that were opened. */
const opened = new Set<'stdout' | 'stderr'>()

/** Returns `process.stdout` or `process.stderr`, with which it is no failure that nobody reads on; any other ends the process. */
export function outputStream(name: 'stdout' | 'stderr'): NodeJS.WriteStream {
  const stream = process[name]
  if (opened.has(name)) return stream
  opened.add(name)
  stream.on('error', cause => {
    // the reader, such as `head`, has read enough, or the terminal is closed
    if (['EPIPE', 'EIO'].includes(systemCode(cause) ?? '')) return
    // what was printed is not whole: the disk is full, for one
    if (name === 'stdout')
      process.stderr.write(`jeton: cannot write to standard output${systemCodeNote(cause)}\n`)
    process.exit(1)
  })
  return stream
}

/** Whether all that was printed is written. */
export function isAllWritten(): boolean {
  return [...opened].every(name => process[name].writableLength === 0)
}

/** Prints Node's warnings as a command prints its own. */
export function printWarnings(): void {
  printNodeWarnings(line => outputStream('stderr').write(`warning: ${escapeUnprintable(line)}\n`))
}
