import { pino } from 'pino'
import type { Log } from './log.ts'

/** The program's own log: lines of JSON on stderr, apart from the audit log. Node's warnings become lines of it too. */
export function createPinoLog(): Log {
  const formatters = { level: (level: string) => ({ level }) }
  const timestamp = pino.stdTimeFunctions.isoTime
  const log = pino({ base: null, timestamp, formatters }, pino.destination({ dest: 2, sync: false }))
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => log.warn({ event: 'node_warning', warning: name }, message))
  return log
}
