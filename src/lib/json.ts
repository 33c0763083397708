/** A parsed JSON object; its members' types are not known. */
export type JsonObject = Readonly<Record<string, unknown>>

/**
 * Returns the value of a JSON text, or of its UTF-8 bytes (which may begin with a byte order mark); undefined if it is not
 * JSON or not UTF-8. The SyntaxError of `JSON.parse` is dropped, because it quotes the text.
 */
export function parseJson(source: string | Uint8Array): unknown {
  try {
    const text =
      typeof source === 'string' ? source : new TextDecoder('utf-8', { fatal: true }).decode(source)
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** As `parseJson`, but undefined for every value that is not an object: a list, a scalar or null. */
export function parseJsonObject(source: string | Uint8Array): JsonObject | undefined {
  const value = parseJson(source)
  return isJsonObject(value) ? value : undefined
}

/** Whether a parsed value is an object, and neither null nor a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Returns JSON with the keys of every object sorted, so that equal values have equal text. For plain data only; `undefined`
 * members are left out.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isJsonObject(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  )
}
