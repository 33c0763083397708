import { sha256Hex } from '../../lib/hash.ts'
import { parseJsonObject } from '../../lib/json.ts'
import { RECOVERED_TYPE, readLink } from '../file/hash-chain.ts'
import { type ParsedRecord, parseRecord, timeOf } from '../parsed-record.ts'
import { findPlace } from './file-places.ts'
import { type FollowedFile, holdsRecord, openFollowedFile, type RecordPlace } from './followed-file.ts'
import { type FilePosition, type FollowEvents, type LogFollower, MAX_BATCH_BYTES } from './follower.ts'
import { createFindNextFile } from './next-file.ts'
import { type FollowedLine, placedLines } from './placed-lines.ts'

/** How many lines are read for one batch, though none is wanted: whoever follows can be stopped in between. */
const MAX_LINES = 50_000
/** How often a file is looked for that is renamed just then. */
const MAX_OPENINGS = 10

export interface FileFollowerOptions extends FollowEvents {
  /** The file that jeton writes. */
  path: string
  position: FilePosition
}

/**
 * Follows an audit file, and the hash chain through what it was rotated to: renamed, copied and emptied, or compressed by gzip.
 * Records that a position without a hash leaves out by their time are skipped. Throws if a file cannot be opened.
 */
export async function followFile(options: FileFollowerOptions): Promise<LogFollower<FilePosition>> {
  const { path, onMissing, onUnreadable } = options
  let { position } = options
  let hasBegun = position.hash !== undefined
  const fromMs = position.hash === undefined ? Date.parse(position.time) : Number.NEGATIVE_INFINITY
  const findNextFile = createFindNextFile(path)
  const { place, opened } = await openPlace(path, position)
  let file = opened
  /** Behind the last line that was read. */
  let offset = place.offset
  /** Where in the file that is open the last record is: if it is no longer there, others changed the file. */
  let anchor = offset > 0 ? placeOf(position) : undefined
  let lines: AsyncGenerator<FollowedLine[]> | undefined
  let waiting: FollowedLine[] = []

  async function switchTo(next: FollowedFile, nextOffset: number): Promise<void> {
    await lines?.return(undefined)
    await file?.close()
    file = next
    offset = nextOffset
    anchor = offset > 0 ? placeOf(position) : undefined
    lines = undefined
    waiting = []
  }

  /** Returns undefined at the end that the file has now. */
  async function nextLine(): Promise<FollowedLine | undefined> {
    if (!file) return undefined
    if (waiting.length === 0) {
      // it may have been emptied, and be longer than before by now
      if (!lines && anchor && !file.isCompressed && !(await holdsRecord(file, anchor))) return undefined
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
    if (next !== 'again') await switchTo(next.file, next.offset)
    return true
  }

  /** Moves the position behind a line, and returns its record if it has one that is wanted. */
  function take({ bytes, end }: FollowedLine): ParsedRecord | undefined {
    const where = { file: file?.path ?? path, offset: end }
    const link = bytes && readLink(bytes)
    const parsed = bytes && parseRecord(bytes.toString())
    if (!link) {
      onUnreadable({ ...where, problem: bytes ? 'not a record of the hash chain' : 'too long for a record' })
      return undefined
    }
    if (position.hash !== undefined && link.prev !== position.hash)
      onMissing({ ...where, expected: position.hash, found: link.prev })
    if (!link.isIntact) onUnreadable({ ...where, problem: 'the record was changed: its hash is another' })
    const members = parsed?.record ?? parseJsonObject(bytes) ?? {}
    const timeMs = timeOf(members)
    const time = timeMs === undefined ? position.time : new Date(timeMs).toISOString()
    position = { ...where, hash: link.hash, time }
    anchor = { offset: end, hash: link.hash }
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
        const record = line && take(line)
        if (!record) continue
        records.push(record)
        positions.push(position)
        bytes += record.line.length
      }
      hasBegun ||= isAtEnd || records.length > 0
      // in the middle of what is left out by its time, the time is still what counts
      const last = hasBegun ? position : options.position
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

/** Opens the very file that a position was found in: it may be renamed in between. */
async function openPlace(path: string, position: FilePosition) {
  for (let openings = 1; ; openings++) {
    const place = await findPlace(path, position)
    const opened = await openFollowedFile(place.path)
    if (opened?.id === place.id || openings === MAX_OPENINGS) return { place, opened }
    await opened?.close()
  }
}

function placeOf({ offset, hash }: FilePosition): RecordPlace | undefined {
  return hash === undefined ? undefined : { offset, hash }
}
