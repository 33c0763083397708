import type { Log, LogFields } from '../../../src/telemetry/log.ts'

export interface RecordedLine {
  readonly level: string
  readonly fields: LogFields
  readonly msg: string
}

export interface LogRecorder extends Log {
  /** All lines so far, in which a test can look for what must or must not be there. */
  readonly lines: RecordedLine[]
}

/** Returns a log that only records its lines. */
export function createLogRecorder(): LogRecorder {
  const lines: RecordedLine[] = []
  const at = (level: string) => (fields: LogFields, msg: string) => void lines.push({ level, fields, msg })
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Returns the events of all lines so far. */
export function eventsOf({ lines }: LogRecorder): readonly unknown[] {
  return lines.map(({ fields }) => fields.event)
}
