import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type FilePlace, nextByHash } from './file-places.ts'
import { type FollowedFile, holdsRecord, openFollowedFile, type RecordPlace } from './followed-file.ts'
import type { FilePosition } from './follower.ts'
import { describeLogFile, type ListedFile, listLogFiles, useFile } from './log-files.ts'
import { placedLines } from './placed-lines.ts'

/** Where a follower is: all of `file` before `offset` is read, and the last record of it is at `position`. */
export interface ReadSoFar {
  /** Undefined if there was no file yet. */
  readonly file: FollowedFile | undefined
  readonly offset: number
  readonly position: FilePosition
  /** Where in this very file the record at the position is; undefined if it is in another one. */
  readonly anchor: RecordPlace | undefined
}

export interface NextFile {
  readonly file: FollowedFile
  readonly offset: number
}

/** Returns what follows a file that is read to its end: undefined if nothing does yet, `again` if more is in it by now. */
export type FindNextFile = (read: ReadSoFar) => Promise<NextFile | 'again' | undefined>

/**
 * Returns the function that finds out in which file the log at `path` goes on. The hash chain tells. If no file continues it,
 * the next one by time does, once the log goes on in another file: whoever reads that sees that records are missing.
 */
export function createFindNextFile(path: string): FindNextFile {
  let fruitless = ''

  /** Looks through all files again only if there are others than when it found nothing. */
  async function searchOnce(search: Search): Promise<FilePlace | undefined> {
    const { mtimeMs } = await stat(dirname(path))
    const found = [mtimeMs, search.live?.first.prev, search.isCut, search.position.hash].join()
    if (found === fruitless) return undefined
    const target = await searchNext(path, search)
    fruitless = target ? '' : found
    return target
  }

  return async read => {
    const { position } = read
    const state = await stateOf(path, read)
    if (state === 'unchanged') return undefined
    const live = await describeLogFile(path)
    const isNext = live && (position.hash === undefined || live.first.prev === position.hash)
    const isCut = state === 'cut'
    const target = isNext ? placeIn(live, 0) : await searchOnce({ ...read, live, isCut })
    if (!target) return undefined
    // only now, because jeton may have written to it until the next file had a record
    if (!isCut && (await hasArrived(read))) return 'again'
    const next = await openFollowedFile(target.path)
    if (next && next.id === target.id) return { file: next, offset: target.offset }
    // it was renamed just now
    await next?.close()
    return 'again'
  }
}

/** `cut`: the same file, without the record that was read last. `replaced`: another is at the path, or none. */
async function stateOf(
  path: string,
  { file, offset, anchor }: ReadSoFar,
): Promise<'unchanged' | 'cut' | 'replaced'> {
  if (!file) return 'replaced'
  const found = await stat(path).catch(() => undefined)
  if (!found || `${found.dev}:${found.ino}` !== file.id) return 'replaced'
  if (found.size < offset) return 'cut'
  return anchor && !(await holdsRecord(file, anchor)) ? 'cut' : 'unchanged'
}

/** Whether more was written to a file since its end was read. */
async function hasArrived({ file, offset, anchor }: ReadSoFar): Promise<boolean> {
  if (!file || file.isCompressed || (anchor && !(await holdsRecord(file, anchor)))) return false
  return hasMore(file, offset)
}

/** Whether there is a whole line behind the offset. */
async function hasMore(file: FollowedFile, offset: number): Promise<boolean> {
  for await (const lines of placedLines(file.read(offset), offset)) return lines.length > 0
  return false
}

interface Search extends ReadSoFar {
  /** The file at the path, if it has a record. */
  readonly live: ListedFile | undefined
  readonly isCut: boolean
}

async function searchNext(
  path: string,
  { file, position, live, isCut }: Search,
): Promise<FilePlace | undefined> {
  const others = (await listLogFiles(path)).filter(({ id }) => id !== file?.id)
  const { hash, offset, time } = position
  const next = hash === undefined ? undefined : nextByHash(others, hash)
  if (next) return placeIn(next, 0)
  // a copy of what was emptied has the rest of it
  for (const copy of isCut && hash !== undefined ? others : [])
    if (await useFile(copy.path, opened => holdsMore(opened, { offset, hash }))) return placeIn(copy, offset)
  const later = live && (others.find(({ first }) => first.timeMs > Date.parse(time)) ?? live)
  return later && placeIn(later, 0)
}

function placeIn({ path, id }: ListedFile, offset: number): FilePlace {
  return { path, id, offset }
}

async function holdsMore(
  file: FollowedFile,
  { offset, hash }: { offset: number; hash: string | undefined },
): Promise<boolean> {
  if (hash === undefined || !(await holdsRecord(file, { offset, hash }))) return false
  return hasMore(file, offset)
}
