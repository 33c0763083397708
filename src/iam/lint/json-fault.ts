const SPACE = /[ \t\n\r]*/y
const STRING = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*"/y
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y

/** Which of them may come next. */
type Wanted = 'value' | 'value or ]' | 'name' | 'name or }' | 'colon' | 'comma or end'

/**
 * Where a text stops being JSON (RFC 8259), as an offset: its length where it is cut off; undefined where it is JSON.
 * JSON.parse decides it too, but not every engine says where.
 */
export function jsonFaultAt(text: string): number | undefined {
  const open: ('{' | '[')[] = []
  let at = 0
  let wanted = 'value' as Wanted

  const take = (token: RegExp) => {
    token.lastIndex = at
    if (!token.test(text)) return false
    at = token.lastIndex
    return true
  }
  /** Whether what comes is allowed here; then it is taken. */
  function step(): boolean {
    const next = text[at]
    const inObject = open.at(-1) === '{'
    if (wanted === 'colon' || (wanted === 'comma or end' && next === ',')) {
      if (next !== (wanted === 'colon' ? ':' : ',') || open.length === 0) return false
      wanted = wanted === 'comma or end' && inObject ? 'name' : 'value'
      at++
      return true
    }
    if (next === '}' || next === ']') {
      const closes = next === '}' ? inObject : open.at(-1) === '['
      if (!closes || wanted === 'value' || wanted === 'name') return false
      open.pop()
      wanted = 'comma or end'
      at++
      return true
    }
    if (wanted === 'name' || wanted === 'name or }') {
      wanted = 'colon'
      return take(STRING)
    }
    if (wanted === 'comma or end') return false
    if (next === '{' || next === '[') {
      open.push(next)
      wanted = next === '{' ? 'name or }' : 'value or ]'
      at++
      return true
    }
    wanted = 'comma or end'
    return take(STRING) || take(SCALAR)
  }

  for (;;) {
    take(SPACE)
    if (at === text.length) return wanted === 'comma or end' && open.length === 0 ? undefined : at
    if (!step()) return at
  }
}
