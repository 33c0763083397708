import { type DestinationStream, pino } from 'pino'
import type { Log } from './log.ts'
import type { RenderLine } from './log-format.ts'
import { logNodeWarnings } from './node-warnings.ts'

/**
 * Returns the program's log for a server: lines on stderr, written asynchronously, with Node's warnings among them. `render`
 * gets them as JSON, with whatever callers send unescaped.
 */
export function createPinoLog(render: RenderLine, stream: DestinationStream = openStderr()): Log {
  const formatters = { level: (level: string) => ({ level }) }
  const timestamp = pino.stdTimeFunctions.isoTime
  const printable = { write: (line: string) => stream.write(render(line)) }
  const log = pino({ base: null, timestamp, formatters }, printable)
  logNodeWarnings(log)
  return log
}

/**
 * Without its reader, a log is silent. pino takes EPIPE so, but EIO, which a closed terminal gives, would end the process, and
 * pino would then try to write what is left for ever.
 */
function openStderr(): DestinationStream {
  const stderr = pino.destination({ dest: 2, sync: false })
  stderr.on('error', () => {
    const silent = { write: () => true, flushSync() {}, end() {}, destroy() {} }
    Object.assign(stderr, silent)
  })
  return stderr
}
