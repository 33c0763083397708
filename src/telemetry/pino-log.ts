import { pino } from 'pino'
import { type Log, logNodeWarnings } from './log.ts'

/** Returns the program's log for a server: lines of JSON on stderr, written asynchronously, with Node's warnings among them. */
export function createPinoLog(): Log {
  const formatters = { level: (level: string) => ({ level }) }
  const timestamp = pino.stdTimeFunctions.isoTime
  const log = pino({ base: null, timestamp, formatters }, pino.destination({ dest: 2, sync: false }))
  logNodeWarnings(log)
  return log
}
