import { sha256Hex } from '../../lib/hash.ts'
import { parseJsonObject } from '../../lib/json.ts'
import { RECOVERED_TYPE, readLink } from '../file/hash-chain.ts'
import { type ParsedRecord, parseRecord, timeOf } from '../parsed-record.ts'
import { openPlace } from './file-places.ts'
import {
  type FollowedFile,
  holdsPlace,
  placeBehind,
  type ReadPlace,
  readFirstRecord,
  recordKey,
} from './followed-file.ts'
import { type FilePosition, type FollowEvents, type LogFollower, MAX_BATCH_BYTES } from './follower.ts'
import { createFindNextFile } from './next-file.ts'
import { type FollowedLine, placedLines } from './placed-lines.ts'

/** How many lines are read for one batch, though none is wanted: whoever follows can be stopped in between. */
const MAX_LINES = 50_000

const NO_FILE = { file: undefined, offset: 0 }

export interface FileFollowerOptions extends FollowEvents {
  /** The file that jeton writes. */
  path: string
  /** Whether a line without a hash is no record: nothing then tells where it belongs. */
  needsChain: boolean
  /** Keys of the first records of files that are not to be read again; the follower adds those that it reads. */
  known: Set<string>
}

/** Where a follower begins. */
export interface FollowStart {
  /** It is closed by the follower. */
  readonly file: FollowedFile | undefined
  readonly offset: number
  /** What stands before the offset; undefined if nothing does. */
  readonly anchor: ReadPlace | undefined
  /** Of the first record that the file had when it was chosen, if it is read from its beginning. */
  readonly firstKey?: string | undefined
  readonly position: FilePosition
  /** Records before this time are skipped; default: none. */
  readonly fromMs?: number | undefined
}

/**
 * Follows an audit file from a position on, and the hash chain through what it was rotated to: renamed, copied and emptied, or
 * compressed by gzip. Records that a position without a hash leaves out by their time are skipped. Throws if a file cannot be
 * opened.
 */
export async function followFile(
  options: Omit<FileFollowerOptions, 'needsChain' | 'known'> & { position: FilePosition },
): Promise<LogFollower<FilePosition>> {
  const { path, position } = options
  const { place, opened } = await openPlace(path, position)
  const { offset } = place
  const first = opened && offset > 0 ? await readFirstRecord(opened) : undefined
  const anchor = offset > 0 ? anchorOf(position) : undefined
  const fromMs = position.hash === undefined ? Date.parse(position.time) : undefined
  return followFrom(
    { file: opened, offset, anchor, firstKey: place.firstKey, position, fromMs },
    { ...options, needsChain: true, known: new Set(first && [first.key]) },
  )
}

/** Follows an audit file from where it is open. */
export function followFrom(start: FollowStart, options: FileFollowerOptions): LogFollower<FilePosition> {
  const { path, needsChain, known, onMissing, onUnreadable } = options
  let { file, offset, anchor, firstKey, position } = start
  const { fromMs = Number.NEGATIVE_INFINITY } = start
  let hasBegun = start.fromMs === undefined
  const findNextFile = createFindNextFile(path, known)
  /** Whether the first record of the file that is open is still to come. */
  let isAtFirst = offset === 0
  let lines: AsyncGenerator<FollowedLine[]> | undefined
  let waiting: FollowedLine[] = []

  async function switchTo(next: Pick<FollowStart, 'file' | 'offset' | 'firstKey'>): Promise<void> {
    await lines?.return(undefined)
    await file?.close()
    ;({ file, offset, firstKey } = next)
    isAtFirst = offset === 0
    // a copy has the same in the same place
    if (isAtFirst) anchor = undefined
    lines = undefined
    waiting = []
  }

  /** Whether a file was emptied since it was chosen: what it had is in a copy by now. */
  function wasEmptied({ bytes }: FollowedLine): boolean {
    if (!isAtFirst || firstKey === undefined || !bytes) return false
    return timeOf(parseJsonObject(bytes) ?? {}) !== undefined && recordKey(bytes) !== firstKey
  }

  /** Returns undefined at the end that the file has now. */
  async function nextLine(): Promise<FollowedLine | undefined> {
    if (!file) return undefined
    if (waiting.length === 0) {
      // it may have been emptied, and be longer than before by now
      if (!lines && anchor && !file.isCompressed && !(await holdsPlace(file, anchor))) return undefined
      lines ??= placedLines(file.read(offset), offset)
      const read = await lines.next().catch(cause => {
        if (!file?.isCompressed) throw new Error(`${file?.path}: cannot be read (${cause.code})`)
        // the rest of it is lost; the next file shows how much
        onUnreadable({ file: file.path, offset, problem: `the compressed file is broken (${cause.code})` })
        return { done: true as const, value: undefined }
      })
      if (read.done) lines = undefined
      else waiting = read.value.reverse()
    }
    const line = waiting.pop()
    if (line) offset = line.end
    return line
  }

  async function moveOn(): Promise<boolean> {
    const next = await findNextFile({ file, offset, position, anchor })
    if (next === undefined) return false
    if (next !== 'again') await switchTo(next)
    return true
  }

  /** Moves the position behind a line, and returns its record if it has one that is wanted. */
  function take({ bytes, end }: FollowedLine): ParsedRecord | undefined {
    const where = { file: file?.path ?? path, offset: end }
    const link = bytes && readLink(bytes)
    const parsed = bytes && parseRecord(bytes.toString())
    if (!bytes || (!link && (needsChain || !parsed))) {
      const what = needsChain ? 'a record of the hash chain' : 'a record'
      onUnreadable({ ...where, problem: bytes ? `not ${what}` : 'too long for a record' })
      return undefined
    }
    if (link && position.hash !== undefined && link.prev !== position.hash)
      onMissing({ ...where, expected: position.hash, found: link.prev })
    if (link && !link.isIntact)
      onUnreadable({ ...where, problem: 'the record was changed: its hash is another' })
    const members = parsed?.record ?? parseJsonObject(bytes) ?? {}
    const timeMs = timeOf(members)
    const time = timeMs === undefined ? position.time : new Date(timeMs).toISOString()
    position = { ...where, hash: link?.hash ?? position.hash, time }
    anchor = { offset: end, ending: bytes }
    if (isAtFirst && timeMs !== undefined) {
      known.add(recordKey(bytes))
      isAtFirst = false
    }
    if (!parsed && parseJsonObject(bytes)?.type !== RECOVERED_TYPE)
      onUnreadable({ ...where, problem: `not a record (SHA-256 ${sha256Hex(bytes)})` })
    return parsed && (timeMs ?? 0) >= fromMs ? parsed : undefined
  }

  return {
    async next(limit) {
      const records: ParsedRecord[] = []
      const positions: FilePosition[] = []
      let [bytes, lineCount, isAtEnd] = [0, 0, false]
      while (records.length < limit && bytes < MAX_BATCH_BYTES && lineCount < MAX_LINES) {
        const line = await nextLine()
        if (!line) {
          isAtEnd = !(await moveOn())
          if (isAtEnd) break
        }
        lineCount++
        if (line && wasEmptied(line)) await switchTo(NO_FILE)
        const record = line && file && take(line)
        if (!record) continue
        records.push(record)
        positions.push(position)
        bytes += record.line.length
      }
      hasBegun ||= isAtEnd || records.length > 0
      // in the middle of what is left out by its time, the time is still what counts
      const last = hasBegun ? position : start.position
      return {
        records,
        isAtEnd,
        positionAfter: count => (count >= records.length ? last : (positions[count - 1] ?? last)),
      }
    },
    async close() {
      await lines?.return(undefined)
      await file?.close()
    },
  }
}

function anchorOf({ offset, hash }: FilePosition): ReadPlace | undefined {
  return hash === undefined ? undefined : placeBehind(hash, offset)
}
