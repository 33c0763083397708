import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type FilePlace, nextByHash } from './file-places.ts'
import type { FilePosition } from './follower.ts'
import {
  type FirstRecord,
  holdsRecord,
  type LogFile,
  openLogFile,
  type RecordPlace,
  readFirstRecord,
} from './log-file.ts'
import { listLogFiles, useFile } from './log-files.ts'
import { placedLines } from './placed-lines.ts'

/** Where a follower is: all of `file` before `offset` is read, and the last record of it is at `position`. */
export interface ReadSoFar {
  /** Undefined if there was no file yet. */
  readonly file: LogFile | undefined
  readonly offset: number
  readonly position: FilePosition
  /** Where in this very file the record at the position is; undefined if it is in another one. */
  readonly anchor: RecordPlace | undefined
}

export interface NextFile {
  readonly file: LogFile
  readonly offset: number
}

/** Returns what follows a file that is read to its end: undefined if nothing does yet, `same` if more has arrived in it. */
export type FindNextFile = (read: ReadSoFar) => Promise<NextFile | 'same' | undefined>

/**
 * Returns the function that finds out in which file the log at `path` goes on. The hash chain tells. If no file continues it,
 * the next one by time does, once the log goes on in another file: whoever reads that sees that records are missing.
 */
export function createFindNextFile(path: string): FindNextFile {
  let fruitless = ''

  /** Looks through all files again only if there are others than when it found nothing. */
  async function searchOnce(search: Search): Promise<FilePlace | undefined> {
    const { mtimeMs } = await stat(dirname(path))
    const found = [mtimeMs, search.live?.prev, search.isCut, search.position.hash].join()
    if (found === fruitless) return undefined
    const target = await searchNext(path, search)
    fruitless = target ? '' : found
    return target
  }

  return async read => {
    const { file, offset, position } = read
    const state = await stateOf(path, read)
    if (state === 'unchanged') return undefined
    const live = await useFile(path, readFirstRecord)
    const isNext = live && (position.hash === undefined || live.prev === position.hash)
    const target = isNext ? { path, offset: 0 } : await searchOnce({ ...read, live, isCut: state === 'cut' })
    if (!target) return undefined
    // only now, because jeton may have written to it until the next file had a record
    if (state === 'replaced' && file && !file.isCompressed && (await hasMore(file, offset))) return 'same'
    const next = await openLogFile(target.path)
    return next && { file: next, offset: target.offset }
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

/** Whether there is a whole line behind the offset. */
async function hasMore(file: LogFile, offset: number): Promise<boolean> {
  for await (const lines of placedLines(file.read(offset), offset)) return lines.length > 0
  return false
}

interface Search extends ReadSoFar {
  /** The first record of the file at the path. */
  readonly live: FirstRecord | undefined
  readonly isCut: boolean
}

async function searchNext(
  path: string,
  { file, position, live, isCut }: Search,
): Promise<FilePlace | undefined> {
  const others = (await listLogFiles(path)).filter(({ id }) => id !== file?.id)
  const { hash, offset, time } = position
  const next = hash === undefined ? undefined : nextByHash(others, hash)
  if (next) return { path: next.path, offset: 0 }
  // a copy of what was emptied has the rest of it
  for (const copy of isCut && hash !== undefined ? others : [])
    if (await useFile(copy.path, opened => holdsMore(opened, { offset, hash })))
      return { path: copy.path, offset }
  if (!live) return undefined
  const later = others.find(({ first }) => first.timeMs > Date.parse(time))
  return { path: later?.path ?? path, offset: 0 }
}

async function holdsMore(
  file: LogFile,
  { offset, hash }: { offset: number; hash: string | undefined },
): Promise<boolean> {
  if (hash === undefined || !(await holdsRecord(file, { offset, hash }))) return false
  return hasMore(file, offset)
}
