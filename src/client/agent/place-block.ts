import { type Block, type FilePart, markBlock, splitBlocks, withoutMarks } from './block.ts'

/** How a kind of file is read. */
export interface BlockFormat {
  /** What a line begins with that readers skip. */
  readonly comment: '#' | ';'
  /** Where readers find a block whatever else is there: `first` where the first match wins, `last` where the last one counts. */
  readonly place: 'first' | 'last'
  /** Whether lines belong to the section above them, of which the first or the last counts. */
  readonly hasSections: boolean
}

export interface PlaceOptions extends BlockFormat {
  /** Whether a block that is as good stays as it is, whoever wrote it: what is looked after, and not new. */
  readonly isCheck: boolean
}

/** As long as a token can last: of two that were good in one moment, neither ends later than this after the other. */
const TOKEN_LIFE_MS = 15 * 60_000

/**
 * Returns the text of a file with a block in its place; all that is not in a block of this key stays byte for byte, but for a line
 * break before a block at the end. A block of this key whose token ends later is another agent's, and stays.
 */
export function placeBlock(text: string, block: Block, options: PlaceOptions): string {
  const fresh = markBlock(block, options.comment)
  const all = splitBlocks(text)
  const found = all.find(piece => piece.key === fresh.key)
  const own = found && isKept(found, { block, isCheck: options.isCheck }) ? found : fresh
  // further blocks of the key are copies, by whoever merged files
  const pieces = all
    .filter(piece => piece.key !== fresh.key || piece === found)
    .map(piece => (piece.key === undefined ? { text: withoutMarks(piece.text, fresh.key ?? '') } : piece))
    .map(piece => (piece === found ? own : piece))
  const givesWay = (piece: FilePart) =>
    piece.key === undefined
      ? countsIn(piece.text, options)
      : piece !== own && isLeftBehind(piece, { own, ...options })
  const index = pieces.indexOf(own)
  const inTheWay = options.place === 'first' ? pieces.slice(0, index) : pieces.slice(index + 1)
  if (index !== -1 && !inTheWay.some(givesWay)) return joinPieces(pieces)
  const others = pieces.filter(piece => piece !== own)
  if (options.place === 'last') return joinPieces([...others, own])
  return joinPieces(options.hasSections ? insertBefore(others, { own, givesWay }) : [own, ...others])
}

function isKept(found: FilePart, { block, isCheck }: { block: Block; isCheck: boolean }): boolean {
  if (found.until === block.until) return isCheck
  const aheadMs = Date.parse(found.until ?? '') - Date.parse(block.until ?? '')
  return aheadMs > 0 && aheadMs <= TOKEN_LIFE_MS
}

/** Where a section begins. */
const SECTION = /^[ \t]*\[/m
/** A line that says nothing. */
const IDLE = /^[ \t]*(?:[#;].*)?\r?$/

/** Whether others' lines could be found instead of a block's. Lines of no section of their own, after a block, are in the block's. */
function countsIn(text: string, { hasSections }: BlockFormat): boolean {
  return hasSections ? SECTION.test(text) : !text.split('\n').every(line => IDLE.test(line))
}

/**
 * Whether a block of another key is from an agent that does not run any more: its token has ended, or it says of the same section
 * something else. Agents that do run must not push each other away with each look.
 */
function isLeftBehind(piece: FilePart, { own, isCheck }: { own: FilePart; isCheck: boolean }): boolean {
  if (own.until !== undefined) return Date.parse(own.until) - Date.parse(piece.until ?? '') > TOKEN_LIFE_MS
  const sectionOf = ({ text }: FilePart) => /^\[.*$/m.exec(text)?.[0]
  const section = sectionOf(own)
  return !isCheck && section !== undefined && sectionOf(piece) === section
}

/** What stands above the first section belongs to none, and must not come into the block's. */
function insertBefore(
  pieces: readonly FilePart[],
  { own, givesWay }: { own: FilePart; givesWay(piece: FilePart): boolean },
): FilePart[] {
  const index = pieces.findIndex(givesWay)
  const piece = pieces[index]
  if (!piece) return [...pieces, own]
  const cut = piece.key === undefined ? piece.text.search(SECTION) : 0
  const [above, from] = [piece.text.slice(0, cut), { ...piece, text: piece.text.slice(cut) }]
  return [...pieces.slice(0, index), { text: above }, own, from, ...pieces.slice(index + 1)]
}

function joinPieces(pieces: readonly FilePart[]): string {
  return pieces.reduce(
    (text, piece) => (piece.key !== undefined && /[^\n]$/.test(text) ? `${text}\n` : text) + piece.text,
    '',
  )
}
