import { namesBeside } from '../file/files-beside.ts'
import { readLink } from '../file/hash-chain.ts'
import { logFilesOf } from '../file/log-files.ts'
import { linesOf, readBackwards } from '../file/read-backwards.ts'
import type { AuditFile } from '../file/read-chunks.ts'
import { parseRecord, timeOf } from '../parsed-record.ts'
import type { FollowStart } from './file-follower.ts'
import { type FollowedFile, openFollowedFile, readFirstRecord } from './followed-file.ts'
import type { FilePosition } from './follower.ts'
import { type ListedFile, listLogFiles } from './log-files.ts'

/** A log that is open behind its last line. */
export interface OpenEnd {
  readonly start: FollowStart
  /** The files that it was rotated to before, without the one that is open. */
  readonly rotated: readonly AuditFile[]
  /** Keys of the first records of all that is there. */
  readonly known: readonly string[]
}

/** How often a log is opened that is rotated just then. */
const MAX_OPENINGS = 10
/** Of the last lines, how many may be none of the hash chain: pieces that crashes left. More, and the log has no chain. */
const MAX_UNLINKED = 100

/**
 * Opens the log at `path` behind its last whole line; if it has none yet, the file that it was rotated to last, to which jeton may
 * still be writing. Rejects if it cannot be read, or is not a regular file.
 */
export async function openEnd(path: string, nowMs: number): Promise<OpenEnd> {
  for (let openings = 1; ; openings++) {
    const before = await namesBeside(path)
    const { files } = await logFilesOf(path)
    const listed = await listLogFiles(path)
    const start = await openLast(path, { listed, nowMs })
    if ((await namesBeside(path)) === before || openings === MAX_OPENINGS) {
      const first = start.file && start.offset > 0 ? await readFirstRecord(start.file) : undefined
      return {
        start,
        rotated: files.filter(file => file.path !== path && file.id !== start.file?.id),
        known: [...(first ? [first.key] : []), ...listed.map(file => file.first.key)],
      }
    }
    await start.file?.close()
  }
}

async function openLast(
  path: string,
  { listed, nowMs }: { listed: readonly ListedFile[]; nowMs: number },
): Promise<FollowStart> {
  const file = await openFollowedFile(path)
  const start = file && (await startBehind(file, nowMs))
  if (start && (start.offset > 0 || file.isCompressed)) return start
  const last = listed.findLast(each => each.isNamed && !each.isCompressed && each.id !== file?.id)
  const rotated = last && (await openFollowedFile(last.path))
  if (!rotated) return start ?? noFile(path, nowMs)
  await file?.close()
  return startBehind(rotated, nowMs)
}

function noFile(path: string, nowMs: number): FollowStart {
  return {
    file: undefined,
    offset: 0,
    anchor: undefined,
    position: placed(path, { timeMs: nowMs, offset: 0 }),
  }
}

function placed(file: string, { timeMs, offset }: { timeMs: number; offset: number }): FilePosition {
  return { file, offset, time: new Date(timeMs).toISOString() }
}

/** By what is there now alone: a record that comes meanwhile is new. */
async function startBehind(file: FollowedFile, nowMs: number): Promise<FollowStart> {
  const start = { ...noFile(file.path, nowMs), file }
  if (file.isCompressed) return start
  let place: Pick<FollowStart, 'offset' | 'anchor' | 'position'> | undefined
  let lines = 0
  for await (const block of readBackwards(file.handle, { end: file.size }))
    for (const { position, bytes } of linesOf(block)) {
      const offset = position + bytes.length + 1
      // its end is still to be written
      if (offset > file.size) continue
      const timeMs = timeOf(parseRecord(bytes.toString())?.record ?? {}) ?? nowMs
      place ??= { offset, anchor: { offset, ending: bytes }, position: placed(file.path, { timeMs, offset }) }
      const hash = readLink(bytes)?.hash
      if (hash !== undefined) return { file, ...place, position: { ...place.position, hash } }
      if (++lines > MAX_UNLINKED) return { file, ...place }
    }
  return { ...start, ...place }
}
