const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** A parsed JSON object; its members' types are not known. */
export type JsonObject = Readonly<Record<string, unknown>>

/**
 * Returns the value of a JSON text, or of its UTF-8 bytes (which may begin with a byte order mark); undefined if it is not
 * JSON or not UTF-8. The SyntaxError of `JSON.parse` is dropped, because it quotes the text.
 */
export function parseJson(source: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof source === 'string' ? source : UTF8.decode(source))
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
  let values = 1
  let depth = 1
  let containers = isContainer(value) ? [value] : []
  for (let level = 2; containers.length > 0; level++) {
    const inner: object[] = []
    for (const container of containers)
      for (const member of Object.values(container)) {
        values++
        depth = level
        if (isContainer(member)) inner.push(member)
      }
    containers = inner
  }
  return { values, depth }
}

/** Whether a value is an object or a list. */
export function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
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
