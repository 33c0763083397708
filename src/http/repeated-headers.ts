/** Headers that a request has once at most, in lower case: each says who asks, for what, or where the body ends. */
const SINGLE_HEADERS: readonly string[] = [
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'transfer-encoding',
]
/** Most names have another length than these, and need not be put in lower case. */
const LENGTHS: ReadonlySet<number> = new Set(SINGLE_HEADERS.map(({ length }) => length))

/**
 * Returns the header, in lower case, that stands more than once in a list of names and values in turn (as in Node's
 * `rawHeaders`) although it must be one; undefined if there is none. Node itself drops or joins such headers.
 */
export function findRepeatedHeader(rawHeaders: readonly string[]): string | undefined {
  let seen = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (!LENGTHS.has(name.length)) continue
    const lower = name.toLowerCase()
    const index = SINGLE_HEADERS.indexOf(lower)
    if (index === -1) continue
    const bit = 1 << index
    if (seen & bit) return lower
    seen |= bit
  }
  return undefined
}
