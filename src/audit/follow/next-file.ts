import { stat } from 'node:fs/promises'
import { fileId, namesBeside } from '../file/files-beside.ts'
import { useFile } from '../file/open-file.ts'
import { DISORDER_MS, type FilePlace, nextByHash, placeIn } from './file-places.ts'
import { type FollowedFile, holdsPlace, openFollowedFile, type ReadPlace } from './followed-file.ts'
import type { FilePosition } from './follower.ts'
import { describeLogFile, type ListedFile, listLogFiles } from './log-files.ts'
import { placedLines } from './placed-lines.ts'

/** Where a follower is: all of `file` before `offset` is read, and the last record of it is at `position`. */
export interface ReadSoFar {
  /** Undefined if there was no file yet. */
  readonly file: FollowedFile | undefined
  readonly offset: number
  readonly position: FilePosition
  /** Where in this very file the last record ends; undefined if it is in another one. */
  readonly anchor: ReadPlace | undefined
}

export interface NextFile {
  readonly file: FollowedFile
  readonly offset: number
  readonly firstKey: string | undefined
}

/** Returns what follows a file that is read to its end: undefined if nothing does yet, `again` if more is in it by now. */
export type FindNextFile = (read: ReadSoFar) => Promise<NextFile | 'again' | undefined>

/**
 * Returns the function that finds out in which file the log at `path` goes on. The hash chain tells. If no file continues it, the
 * next one by time does, once the log goes on in another file: whoever reads that sees that records are missing. `known` has the
 * first records of files that were read: none of them comes again.
 */
export function createFindNextFile(path: string, known: ReadonlySet<string>): FindNextFile {
  let fruitless = ''

  /** Looks through all files again only if there are others than when it found nothing. */
  async function searchOnce(search: Search): Promise<FilePlace | 'again' | undefined> {
    const { live, isCut, position, anchor } = search
    const before = await namesBeside(path)
    const found = [before, live?.first.key, isCut, position.hash, anchor?.offset].join()
    if (found === fruitless) return undefined
    const target = await searchNext(path, search)
    // a file that is renamed meanwhile may have been overlooked
    if ((await namesBeside(path)) !== before) return 'again'
    fruitless = target ? '' : found
    return target
  }

  return async read => {
    const state = await stateOf(path, read)
    if (state === 'unchanged') return undefined
    const live = await describeLogFile(path)
    const isCut = state === 'cut'
    const search = { ...read, live, isCut, known }
    const target = (live && (await placeInLive(live, search))) ?? (await searchOnce(search))
    if (!target || target === 'again') return target
    // only now, because jeton may have written to it until the next file had a record
    if (!isCut && (await hasArrived(read))) return 'again'
    const next = await openFollowedFile(target.path)
    if (next && next.id === target.id) return { file: next, offset: target.offset, firstKey: target.firstKey }
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
  if (!found || fileId(found) !== file.id) return 'replaced'
  if (found.size < offset) return 'cut'
  return anchor && !(await holdsPlace(file, anchor)) ? 'cut' : 'unchanged'
}

/** Whether more was written to a file since its end was read. */
async function hasArrived({ file, offset, anchor }: ReadSoFar): Promise<boolean> {
  if (!file || file.isCompressed || (anchor && !(await holdsPlace(file, anchor)))) return false
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
  readonly known: ReadonlySet<string>
}

/** Looks at the file at the path alone, which is what follows but for rotations in quick succession. */
async function placeInLive(live: ListedFile, { position, anchor, isCut, known }: Search) {
  const { first, path } = live
  if (!known.has(first.key))
    return position.hash !== undefined && first.prev === position.hash ? placeIn(live, 0) : undefined
  // what was read until now may have been copied there
  return anchor && !isCut && (await holdsMore(path, anchor)) ? placeIn(live, anchor.offset) : undefined
}

async function searchNext(path: string, search: Search): Promise<FilePlace | undefined> {
  const { file, position, anchor, live, isCut, known } = search
  const { hash, time } = position
  const listed = await listLogFiles(path)
  const unread = listed.filter(({ first }) => !known.has(first.key))
  const next = hash === undefined ? undefined : nextByHash(unread, hash)
  if (next) return placeIn(next, 0)
  // a copy of what was emptied has the rest of it
  for (const copy of anchor && isCut ? listed : [])
    if (anchor && copy.id !== file?.id && (await holdsMore(copy.path, anchor)))
      return placeIn(copy, anchor.offset)
  if (!live) return undefined
  const afterMs = Date.parse(time) - (hash === undefined ? DISORDER_MS : 0)
  const later = unread.find(({ id, isNamed, first }) => id !== live.id && isNamed && first.timeMs > afterMs)
  if (later) return placeIn(later, 0)
  return isCut || !known.has(live.first.key) ? placeIn(live, 0) : undefined
}

function holdsMore(path: string, anchor: ReadPlace): Promise<boolean | undefined> {
  return useFile(
    openFollowedFile(path),
    async file => (await holdsPlace(file, anchor)) && hasMore(file, anchor.offset),
  )
}
