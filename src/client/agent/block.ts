import { percentEncode } from '../forms/percent-encoding.ts'

/** Lines of a file that an agent keeps, between a line that begins them and one that ends them. */
export interface Block {
  /** Whose they are: the key of a login. */
  readonly key: string
  /** Whole lines. */
  readonly text: string
  /** When the token in it ends, by the server's clock (RFC 3339); undefined if there is none in it. */
  readonly until: string | undefined
}

/** A part of a file: a block with its two marks, or what is no agent's. */
export interface FilePart {
  readonly text: string
  /** Of a block, as it stands there: encoded. */
  readonly key?: string
  readonly until?: string | undefined
}

const BEGIN = /^[ \t]*[#;] jeton agent: begin (\S+)(?: until (\S+))?[ \t]*\r?\n?$/
const END = /^[ \t]*[#;] jeton agent: end (\S+)[ \t]*\r?\n?$/

/** Returns the key as marks have it: one word. */
export function encodeKey(key: string): string {
  return percentEncode(key).replaceAll('%3A', ':')
}

/** Returns a block with its marks, which are comments that begin with `comment`. */
export function markBlock({ key, text, until }: Block, comment: '#' | ';'): FilePart {
  const word = encodeKey(key)
  const begin = `${comment} jeton agent: begin ${word}${until === undefined ? '' : ` until ${until}`}\n`
  return { key: word, until, text: `${begin}${text}${comment} jeton agent: end ${word}\n` }
}

/**
 * Divides the text of a file, of which nothing is lost. A mark that has lost its other one is no block's, so that what is between
 * it and anything else stays.
 */
export function splitBlocks(text: string): FilePart[] {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? []
  const pieces: FilePart[] = []
  let plain = ''
  const endPlain = () => {
    if (plain !== '') pieces.push({ text: plain })
    plain = ''
  }
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    const [isBegin, key = '', until] = BEGIN.exec(line) ?? []
    const last = isBegin === undefined ? -1 : endOf(lines, { from: index + 1, key })
    if (last === -1) {
      plain += line
      continue
    }
    endPlain()
    pieces.push({ key, until, text: lines.slice(index, last + 1).join('') })
    index = last
  }
  endPlain()
  return pieces
}

function endOf(lines: readonly string[], { from, key }: { from: number; key: string }): number {
  const found = lines.findIndex((line, index) => index >= from && (BEGIN.test(line) || END.test(line)))
  return END.exec(lines[found] ?? '')?.[1] === key ? found : -1
}

/** Returns text without the marks of a key: those that have lost their other one. */
export function withoutMarks(text: string, key: string): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? []
  return lines.filter(line => BEGIN.exec(line)?.[1] !== key && END.exec(line)?.[1] !== key).join('')
}
