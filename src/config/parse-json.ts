/**
 * The value of a plain JSON text: one that comes out the same when it is written again, but for white space. Such a text
 * names no member twice and has no number that would read back as another, and means in YAML what it means in JSON.
 * Undefined for every other, also where it is JSON. In a process that has just begun it takes a tenth of what YAML takes.
 */
export function parsePlainJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value) === withoutSpace(text) ? value : undefined
  } catch {
    return undefined
  }
}

/** Without the white space between the tokens of a JSON text. */
function withoutSpace(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, '$1')
}
