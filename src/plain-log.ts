import type { Writable } from 'node:stream'
import type { Log } from './log.ts'

/**
 * The program's own log without a logger: lines as pino's, of level info and above. For where a logger would take longer to
 * load than all that there is to be said. Node's warnings become lines of it too.
 */
export function createPlainLog(stream: Writable): Log {
  const at = (level: string) => (fields: object, msg: string) => {
    const told = Object.entries(fields).map(([name, value]) => [name, plain(value)])
    const time = new Date().toISOString()
    stream.write(`${JSON.stringify({ level, time, ...Object.fromEntries(told), msg })}\n`)
  }
  const log = { debug() {}, info: at('info'), warn: at('warn'), error: at('error') }
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => log.warn({ warning: name }, message))
  return log
}

function plain(value: unknown): unknown {
  return value instanceof Error ? { type: value.name, message: value.message, stack: value.stack } : value
}
