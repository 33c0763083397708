import type { CallerLogEvent } from './caller-log-events.ts'
import type { LogEvent } from './log-events.ts'

/** `at FUNCTION (PLACE:LINE:COLUMN)`; a message may have lines that begin as these do. */
const STACK_FRAME = /^at .*:\d+:\d+\)?$/

/** The fields of one line: its event code, and what helps to find the cause. Never a secret. */
export interface LogFields {
  readonly event: LogEvent | CallerLogEvent
  readonly [name: string]: unknown
}

/**
 * The port through which jeton's parts write the program's log: the methods of pino that they use. Alarms, filters and
 * searches rest on the event code of a line, never on its sentence.
 */
export interface Log {
  debug(fields: LogFields, msg: string): void
  info(fields: LogFields, msg: string): void
  warn(fields: LogFields, msg: string): void
  error(fields: LogFields, msg: string): void
}

/** Logs that a bug made a request fail. Leaves the error's message out, because it may quote a secret. */
export function logRequestFailure(
  log: Log,
  { requestId, traceId, cause }: { requestId: string; traceId?: string | undefined; cause: unknown },
): void {
  const fields = { event: 'request_failed', requestId, traceId, ...nameAndStack(cause) } as const
  log.error(fields, 'a request failed because of a bug in jeton; please report this line')
}

/** Returns what may be said of a bug: the kind of its error and where it is, without the message, which may quote a secret. */
export function nameAndStack(cause: unknown): { error: string; stack: string[] } {
  if (!(cause instanceof Error)) return { error: typeof cause, stack: [] }
  const { name, message, stack = '' } = cause
  const lines = stack.slice(stack.indexOf(message) + message.length).split('\n')
  return { error: name, stack: lines.map(line => line.trim()).filter(line => STACK_FRAME.test(line)) }
}
