import { createHash, type Hash } from 'node:crypto'
import { messageOf } from '../../lib/system-error.ts'
import { acknowledges, GENESIS, MAX_LINE_BYTES, readLink } from './hash-chain.ts'
import { type Line, readLines } from './read-lines.ts'

export interface VerifyOptions {
  /** A hash that the chain must reach: without it, a missing tail does not show. */
  expectLast?: string | undefined
  /** The hash that the first record must continue, if the records before it are no longer kept. */
  after?: string | undefined
}

/** `recovered` counts torn pieces that the next record acknowledges. `line` is 0 if a file as a whole is meant. */
export type Verdict =
  | { readonly ok: true; readonly records: number; readonly last: string; readonly recovered: number }
  | { readonly ok: false; readonly file: string; readonly line: number; readonly problem: string }

interface Position {
  readonly file: string
  readonly line: number
}

/** Lines without a link, up to the next record; `bytes` and `hash` grow with each. */
interface TornLines {
  readonly start: Position
  readonly hash: Hash
  bytes: number
}

/**
 * Checks the hash chain through all files, given oldest first. Finds records changed, dropped, swapped or inserted and a
 * head cut off, and names the first bad line. A line without a link passes only if the next record acknowledges it as
 * torn. `expectLast` must be the hash of some record (or `after`): a log that has grown since is fine. Does NOT
 * find that the whole chain was replaced. Memory is bounded, however large the files. Never throws, not even for a file
 * that cannot be read.
 */
export async function verifyFiles(paths: readonly string[], options: VerifyOptions = {}): Promise<Verdict> {
  const { expectLast, after } = options
  let last = after ?? GENESIS
  let isReached = expectLast === undefined || expectLast === last
  let records = 0
  let recovered = 0
  let torn: TornLines | undefined
  let position: Position = { file: paths.at(-1) ?? '', line: 0 }

  const bad = (problem: string, { file, line } = position): Verdict => ({ ok: false, file, line, problem })

  /** Undefined within a file. */
  const fileBefore = ({ file, line }: Position) => (line === 1 ? paths[paths.indexOf(file) - 1] : undefined)

  const check = (line: Line): Verdict | undefined => {
    if (line.isTooLong) return bad(`longer than ${MAX_LINE_BYTES} bytes: not a record`)
    const link = readLink(line.bytes)
    if (!link) {
      torn = addTorn(torn, { start: position, bytes: line.bytes })
      return undefined
    }
    if (!link.isIntact) return bad('the record was changed: its hash is not the hash of its text')
    if (torn) {
      const piece = { bytes: torn.bytes, sha256: torn.hash.digest('hex') }
      if (!acknowledges(line.bytes, piece)) return bad(UNACKNOWLEDGED, torn.start)
      torn = undefined
      recovered++
    }
    if (link.prev !== last)
      return bad(describeGap({ isFirst: records === 0, before: fileBefore(position), prev: link.prev, last }))
    last = link.hash
    isReached ||= last === expectLast
    records++
    return undefined
  }

  for (const file of paths) {
    position = { file, line: 0 }
    try {
      for await (const lines of readLines(file)) {
        for (const line of lines) {
          position = { file, line: position.line + 1 }
          const verdict = check(line)
          if (verdict) return verdict
        }
      }
    } catch (error) {
      return bad(`cannot be read: ${messageOf(error, 'unknown error')}`)
    }
  }
  if (torn) return bad(UNACKNOWLEDGED, torn.start)
  if (!isReached)
    return bad(`the end is missing: the chain ends with ${last} and never reaches ${expectLast}`)
  return { ok: true, records, last, recovered }
}

const UNACKNOWLEDGED = 'not a record of the hash chain, and the next record does not say that it was torn'

function addTorn(
  torn: TornLines | undefined,
  { start, bytes }: { start: Position; bytes: Buffer },
): TornLines {
  if (!torn) return { start, hash: createHash('sha256').update(bytes), bytes: bytes.length }
  torn.hash.update('\n').update(bytes)
  torn.bytes += 1 + bytes.length
  return torn
}

interface Gap {
  readonly isFirst: boolean
  /** The file before, if the gap is between two files. */
  readonly before: string | undefined
  readonly prev: string
  readonly last: string
}

function describeGap({ isFirst, before, prev, last }: Gap): string {
  if (isFirst) return `the beginning is missing: the first record continues ${prev}, not ${last}`
  if (before !== undefined)
    return `records are missing between ${before}, which ends with ${last}, and this file, which continues ${prev}: a file was left out or cut off, or it was emptied while jeton wrote to it`
  return `does not continue the record before it (${last}): a record was dropped, inserted or moved`
}
