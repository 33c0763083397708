const ZEROS = /^0+$/
/** A version that is not known yet may have more after the flags. */
const TRACEPARENT =
  /^(?!ff)(?<version>[0-9a-f]{2})-(?<traceId>[0-9a-f]{32})-(?<parentId>[0-9a-f]{16})-[0-9a-f]{2}(?<rest>-.*)?$/
const MAX_LENGTH = 512

/**
 * Returns the id of the trace that a `traceparent` header names: 32 hexadecimal digits, in lower case. Undefined without the
 * header, and for one that is not valid, which is to be ignored. https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function traceIdOf(traceparent: unknown): string | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > MAX_LENGTH) return undefined
  const { version, traceId, parentId, rest } = TRACEPARENT.exec(traceparent)?.groups ?? {}
  if (traceId === undefined || parentId === undefined) return undefined
  if (ZEROS.test(traceId) || ZEROS.test(parentId) || (version === '00' && rest !== undefined))
    return undefined
  return traceId
}
