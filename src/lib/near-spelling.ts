/** Long names are compared no further: the work grows with the square of the length. */
const MAX_LENGTH = 64
/** Of many candidates only the first are compared: the same may be asked for each of many names. */
const MAX_CANDIDATES = 100

/**
 * Returns the candidate that a misspelled name most likely means; undefined if none is near. Neither case nor `-` and `_`
 * count; the beginning of a candidate, of three letters or more, is near it.
 */
export function findNearSpelling(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = plainLetters(name)
  if (wanted === '' || name.length > MAX_LENGTH) return undefined
  let nearest: { candidate: string; edits: number } | undefined
  let compared = 0
  for (const candidate of candidates) {
    if (++compared > MAX_CANDIDATES) break
    const other = plainLetters(candidate)
    if (candidate === name || other === '' || candidate.length > MAX_LENGTH) continue
    const isBeginning = wanted.length >= 3 && other.length > wanted.length && other.startsWith(wanted)
    const edits = isBeginning ? 1 : countEdits(wanted, other)
    if (edits > maxEdits(Math.max(wanted.length, other.length))) continue
    if (nearest === undefined || edits < nearest.edits) nearest = { candidate, edits }
  }
  return nearest?.candidate
}

function plainLetters(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '')
}

/** One letter of four may be wrong, or of a short name one in all. */
function maxEdits(length: number): number {
  return length < 3 ? 0 : Math.max(1, Math.floor(length / 4))
}

/** Counts insertions, deletions, replacements and swaps of neighbours: the optimal string alignment distance. */
function countEdits(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      current[column] = Math.min(
        at(current, column - 1) + 1,
        at(last, column) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        isSwap ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = current
  }
  return at(last, to.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
