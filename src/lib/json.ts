export type JsonObject = Readonly<Record<string, unknown>>

/**
 * Returns the value of a JSON text, or of its UTF-8 bytes (which may begin with a byte order mark); undefined when it is no
 * JSON or the bytes are no UTF-8. The SyntaxError of `JSON.parse` is dropped, for it quotes the text.
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

/** As `parseJson`, and undefined for every value that is no object: for a list, a scalar and null. */
export function parseJsonObject(source: string | Uint8Array): JsonObject | undefined {
  const value = parseJson(source)
  return isJsonObject(value) ? value : undefined
}

/** Whether a parsed value is an object, and neither null nor a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON with the keys of every object sorted: equal values give equal text. For plain data only; `undefined` members are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isJsonObject(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  )
}
