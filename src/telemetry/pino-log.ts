import { type DestinationStream, pino } from 'pino'
import { type Log, logNodeWarnings } from './log.ts'

/**
 * Returns the program's log for a server: lines of JSON on stderr, written asynchronously, with Node's warnings among them.
 * `escapeJson` escapes what a line of JSON must not show: lines quote what callers send.
 */
export function createPinoLog(
  escapeJson: (json: string) => string,
  stream: DestinationStream = pino.destination({ dest: 2, sync: false }),
): Log {
  const formatters = { level: (level: string) => ({ level }) }
  const timestamp = pino.stdTimeFunctions.isoTime
  const printable = { write: (line: string) => stream.write(escapeJson(line)) }
  const log = pino({ base: null, timestamp, formatters }, printable)
  logNodeWarnings(log)
  return log
}
