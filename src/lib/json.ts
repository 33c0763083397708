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

/** How many values there are in a parsed value, itself included, and how deep they are nested: 1 for a scalar. */
export interface JsonMeasure {
  readonly values: number
  readonly depth: number
}

/**
 * Returns how large a parsed value is. Does not recurse, so that no depth overflows the stack: measure what strangers send
 * before it goes to anything that does, as JSON.stringify and structuredClone do.
 */
export function measureJson(value: unknown): JsonMeasure {
  let values = 0
  let depth = 0
  let level: unknown[] = [value]
  while (level.length > 0) {
    values += level.length
    depth++
    const next: unknown[] = []
    for (const member of level)
      if (typeof member === 'object' && member !== null)
        for (const inner of Object.values(member)) next.push(inner)
    level = next
  }
  return { values, depth }
}

/**
 * Returns JSON with the keys of every object sorted, so that equal values have equal text. For plain data only; `undefined`
 * members are left out. Recurses: measure first what may be deep.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isJsonObject(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  )
}
