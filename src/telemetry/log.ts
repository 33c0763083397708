import type { LogEvent } from './log-events.ts'

/** The fields of one line: its event code, and whatever else helps. Never a secret in them. */
export interface LogFields {
  readonly event: LogEvent
  readonly [name: string]: unknown
}

/**
 * The part of pino that jeton's parts use: structured, to stderr, never with a secret in it. Every line has an event code:
 * alarms, filters and searches rest on that, and never on the sentence.
 */
export interface Log {
  debug(fields: LogFields, msg: string): void
  info(fields: LogFields, msg: string): void
  warn(fields: LogFields, msg: string): void
  error(fields: LogFields, msg: string): void
}
