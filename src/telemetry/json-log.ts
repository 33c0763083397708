import type { Writable } from 'node:stream'
import type { Log, LogFields } from './log.ts'

/**
 * The program's own log without a logger: lines as pino's, of level info and above. For where a logger would take longer to
 * load than all that there is to be said. Node's warnings become lines of it too.
 */
export function createJsonLog(stream: Writable): Log {
  const at = (level: string) => (fields: LogFields, msg: string) => {
    const head = { level, time: new Date().toISOString(), event: fields.event }
    stream.write(`${lineOf(head, { fields, msg })}\n`)
  }
  const log = { debug() {}, info: at('info'), warn: at('warn'), error: at('error') }
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => log.warn({ event: 'node_warning', warning: name }, message))
  return log
}

/** Of fields that are no JSON (a circle, say), event and message are left: to log must not be what fails. */
function lineOf(head: object, { fields, msg }: { fields: LogFields; msg: string }): string {
  try {
    const told = Object.entries(fields).map(([name, value]) => [name, plain(value)])
    return JSON.stringify({ ...head, ...Object.fromEntries(told), ...head, msg })
  } catch {
    return JSON.stringify({ ...head, msg })
  }
}

function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const { name: type, message, stack } = value
  return { type, ...('code' in value && { code: value.code }), message, stack }
}
