import { createHash, type Hash } from 'node:crypto'
import { acknowledges, GENESIS, LONGEST_LINE_BYTES, readLink } from './hash-chain.ts'
import { type Line, linesOf } from './read-lines.ts'

export interface VerifyOptions {
  /** A hash that the chain must reach: without it, nobody can see that a tail was cut off. */
  expectLast?: string | undefined
  /** The hash that the first record must continue, where what came before is no longer kept. */
  after?: string | undefined
}

/** `recovered` counts torn pieces that a record after them names. `line` is 0 where a file as a whole is meant. */
export type Verdict =
  | { readonly ok: true; readonly records: number; readonly last: string; readonly recovered: number }
  | { readonly ok: false; readonly file: string; readonly line: number; readonly problem: string }

interface Torn {
  readonly file: string
  readonly line: number
  readonly hash: Hash
  bytes: number
}

/**
 * Checks the hash chain through all the files, which are given oldest first: finds records changed, dropped, swapped or
 * inserted and a head cut off, and names the first bad line. Text that is no sealed record passes only where the next
 * record is one that jeton wrote to name it. `expectLast` must be the hash of some record (or of what the chain starts
 * from): a log that has grown since is fine. In bounded memory, however large the files. Cannot see that the whole
 * chain was written anew; never throws for what is in a file, nor for one that cannot be read.
 */
export async function verifyFiles(paths: readonly string[], options: VerifyOptions = {}): Promise<Verdict> {
  const { expectLast, after } = options
  const start = after ?? GENESIS
  let last = start
  let reached = expectLast === undefined || expectLast === last
  let records = 0
  let recovered = 0
  let torn: Torn | undefined
  let at = { file: paths.at(-1) ?? '', line: 0 }

  const bad = (problem: string, where: { file: string; line: number } = at): Verdict => ({
    ok: false,
    file: where.file,
    line: where.line,
    problem,
  })

  const check = (line: Line): Verdict | undefined => {
    if (line.tooLong) return bad(`longer than ${LONGEST_LINE_BYTES} bytes: not a record`)
    const seal = readLink(line.bytes)
    if (!seal) {
      torn = tear(torn, line.bytes, at)
      return undefined
    }
    if (!seal.intact) return bad('the record was changed: its hash is not the hash of its text')
    if (torn) {
      const piece = { bytes: torn.bytes, sha256: torn.hash.digest('hex') }
      if (!acknowledges(line.bytes, piece)) return bad(UNNAMED, torn)
      torn = undefined
      recovered++
    }
    if (seal.prev !== last) return bad(gap({ isFirst: records === 0, prev: seal.prev, last }))
    last = seal.hash
    reached ||= last === expectLast
    records++
    return undefined
  }

  for (const file of paths) {
    at = { file, line: 0 }
    try {
      for await (const lines of linesOf(file)) {
        for (const line of lines) {
          at = { file, line: at.line + 1 }
          const verdict = check(line)
          if (verdict) return verdict
        }
      }
    } catch (error) {
      return bad(`cannot be read: ${error instanceof Error ? error.message : 'unknown error'}`)
    }
  }
  if (torn) return bad(UNNAMED, torn)
  if (!reached) return bad(`the end is missing: the chain ends with ${last} and never reaches ${expectLast}`)
  return { ok: true, records, last, recovered }
}

const UNNAMED = 'not a sealed record, and no record after it says that it was torn'

function tear(torn: Torn | undefined, bytes: Buffer, at: { file: string; line: number }): Torn {
  if (!torn) return { ...at, hash: createHash('sha256').update(bytes), bytes: bytes.length }
  torn.hash.update('\n').update(bytes)
  torn.bytes += 1 + bytes.length
  return torn
}

function gap({ isFirst, prev, last }: { isFirst: boolean; prev: string; last: string }): string {
  if (isFirst) return `the beginning is missing: the first record continues ${prev}, not ${last}`
  return `does not continue the record before it (${last}): a record was dropped, inserted or moved`
}
