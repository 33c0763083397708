import { type DestinationStream, pino } from 'pino'
import type { Log } from './log.ts'
import type { RenderLine } from './log-format.ts'
import { logNodeWarnings } from './node-warnings.ts'
import { createStderrStream } from './stderr-stream.ts'

/**
 * Returns the program's log for a server: lines on stderr, written asynchronously, with Node's warnings among them. `render`
 * gets them as JSON, with whatever callers send unescaped.
 */
export function createPinoLog(render: RenderLine, stream: DestinationStream = createStderrStream()): Log {
  const formatters = { level: (level: string) => ({ level }) }
  const timestamp = pino.stdTimeFunctions.isoTime
  const printable = { write: (line: string) => stream.write(render(line)) }
  const log = pino({ base: null, timestamp, formatters }, printable)
  logNodeWarnings(log)
  return log
}
