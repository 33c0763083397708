import type { Log, LogFields } from './log.ts'
import type { Traces } from './traces.ts'

/** Returns a log whose lines name the trace of the request that they are about, unless they name one themselves. */
export function traceLog(log: Log, { currentTraceId }: Pick<Traces, 'currentTraceId'>): Log {
  const traced = (level: keyof Log) => (fields: LogFields, msg: string) => {
    const traceId = fields.traceId ?? currentTraceId()
    log[level](traceId === undefined ? fields : { ...fields, traceId }, msg)
  }
  return { debug: traced('debug'), info: traced('info'), warn: traced('warn'), error: traced('error') }
}
