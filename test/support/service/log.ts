import type { Log, LogFields } from '../../../src/telemetry/log.ts'

export interface Remembered {
  readonly level: string
  readonly fields: LogFields
  readonly msg: string
}

/** A program log that is kept, so that a test can look for what must, or must not, stand in it. */
export function rememberingLog(): Log & { readonly lines: Remembered[] } {
  const lines: Remembered[] = []
  const at = (level: string) => (fields: LogFields, msg: string) => void lines.push({ level, fields, msg })
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
