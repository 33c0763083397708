import { type Block, type FilePart, markBlock, splitBlocks, withoutMarks } from './block.ts'

/**
 * Where a reader of the format finds a block before what others wrote: `first` where the first match wins, `first-section` where
 * the first section of a name does, and `last` where the last one counts.
 */
export type BlockPlace = 'first' | 'first-section' | 'last'

export interface BlockFormat {
  /** What a line begins with that readers skip. */
  readonly comment: '#' | ';'
  readonly place: BlockPlace
}

export interface PlaceOptions extends BlockFormat {
  /** Whether a block that is as good stays as it is, whoever wrote it: what is looked after, and not new. */
  readonly isCheck: boolean
}

/** Nobody's token ends later than this after that of another who asked at the same time. */
const MAX_AHEAD_MS = 15 * 60_000

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
  if (pieces.includes(own) && isInPlace(pieces, { own, place: options.place })) return joinPieces(pieces)
  return joinPieces(
    insert(
      pieces.filter(piece => piece !== own),
      { own, place: options.place },
    ),
  )
}

function isKept(found: FilePart, { block, isCheck }: { block: Block; isCheck: boolean }): boolean {
  if (found.until === block.until) return isCheck
  const aheadMs = Date.parse(found.until ?? '') - Date.parse(block.until ?? '')
  return aheadMs > 0 && aheadMs <= MAX_AHEAD_MS
}

interface Placing {
  own: FilePart
  place: BlockPlace
}

/** Where a section of an ini file begins. */
const SECTION = /^[ \t]*\[/m
/** A line that says nothing. */
const IDLE = /^[ \t]*(?:[#;].*)?\r?$/

function isInPlace(pieces: readonly FilePart[], { own, place }: Placing): boolean {
  const index = pieces.indexOf(own)
  const others = place === 'last' ? pieces.slice(index + 1) : pieces.slice(0, index)
  return others.every(
    ({ key, text }) =>
      key !== undefined ||
      (place === 'first-section' ? !SECTION.test(text) : text.split('\n').every(line => IDLE.test(line))),
  )
}

function insert(pieces: readonly FilePart[], { own, place }: Placing): FilePart[] {
  if (place === 'first') return [own, ...pieces]
  const index =
    place === 'last' ? -1 : pieces.findIndex(({ key, text }) => key === undefined && SECTION.test(text))
  const piece = pieces[index]
  if (!piece) return [...pieces, own]
  // what stands above the first section belongs to none, and must not come into the block's
  const cut = piece.text.search(SECTION)
  return [
    ...pieces.slice(0, index),
    { text: piece.text.slice(0, cut) },
    own,
    { text: piece.text.slice(cut) },
    ...pieces.slice(index + 1),
  ]
}

function joinPieces(pieces: readonly FilePart[]): string {
  return pieces.reduce(
    (text, piece) => (piece.key !== undefined && /[^\n]$/.test(text) ? `${text}\n` : text) + piece.text,
    '',
  )
}
