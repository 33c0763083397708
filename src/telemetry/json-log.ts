import type { Log, LogFields } from './log.ts'
import { logNodeWarnings } from './node-warnings.ts'
import type { LineStream } from './stderr-stream.ts'

/**
 * Returns the program's log without pino, which would slow Lambda's cold start. It writes the same lines, of level info and
 * above, with Node's warnings among them. `escapeJson` escapes what a line of JSON must not show: lines quote what callers send.
 */
export function createJsonLog(stream: LineStream, escapeJson: (json: string) => string): Log {
  const writeAt = (level: string) => (fields: LogFields, msg: string) => {
    const head = { level, time: new Date().toISOString(), event: fields.event }
    stream.write(`${escapeJson(renderLine(head, { fields, msg }))}\n`)
  }
  const log = { debug() {}, info: writeAt('info'), warn: writeAt('warn'), error: writeAt('error') }
  logNodeWarnings(log)
  return log
}

/** Leaves out fields that cannot be JSON, such as circular ones: logging must never fail. */
function renderLine(head: object, { fields, msg }: { fields: LogFields; msg: string }): string {
  try {
    const plainFields = Object.entries(fields).map(([name, value]) => [name, toPlainValue(value)])
    return JSON.stringify({ ...head, ...Object.fromEntries(plainFields), ...head, msg })
  } catch {
    return JSON.stringify({ ...head, msg })
  }
}

function toPlainValue(value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const { name: type, message, stack } = value
  return { type, ...('code' in value && { code: value.code }), message, stack }
}
