import { escapeUnprintable } from '../src/lib/printable.ts'
import { systemCode } from '../src/lib/system-error.ts'
import { printNodeWarnings } from '../src/telemetry/node-warnings.ts'

const opened = new Set<'stdout' | 'stderr'>()

/** Returns `process.stdout` or `process.stderr`, with which it is no failure that nobody reads on. */
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

/** Prints Node's warnings as a command prints its own. */
export function printWarnings(): void {
  printNodeWarnings(line => outputStream('stderr').write(`warning: ${escapeUnprintable(line)}\n`))
}

/** How often it is looked whether all is written. */
const WRITTEN_CHECK_MS = 50

/**
 * Ends this process with an exit code once all that it printed is written, whatever else still goes on in it: nothing stops the
 * system's search for a host that DNS does not answer for, which takes half a minute and longer.
 */
export function endProcess(exitCode: number): void {
  process.exitCode = exitCode
  const timer = setInterval(() => {
    if ([...opened].every(name => process[name].writableLength === 0)) process.exit()
  }, WRITTEN_CHECK_MS)
  timer.unref()
}
