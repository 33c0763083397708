/**
 * Returns the value of a plain JSON text: one that is the same, but for white space, if the value is written again. Such a
 * text has no duplicate keys and no numbers that read back as others, and means the same in YAML. Returns undefined for any
 * other text, even if it is JSON. In a new process this takes a tenth of the time of the YAML parser.
 */
export function parsePlainJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value) === withoutSpace(text) ? value : undefined
  } catch {
    // no JSON, or nested so deeply that it cannot be written again
    return undefined
  }
}

/** Removes the white space between the tokens of a JSON text. */
function withoutSpace(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, '$1')
}
