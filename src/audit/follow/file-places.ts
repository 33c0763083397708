import { readFileEnd } from '../file/file-end.ts'
import { useFile } from '../file/open-file.ts'
import { holdsPlace, openFollowedFile, placeBehind, readLastRecord } from './followed-file.ts'
import type { FilePosition } from './follower.ts'
import { type ListedFile, listLogFiles } from './log-files.ts'

/** Where to read on. */
export interface FilePlace {
  readonly path: string
  /** The file itself, whatever its name becomes; undefined if there is none yet. */
  readonly id: string | undefined
  readonly offset: number
  /** Of the file's first record, if its beginning is the place. */
  readonly firstKey?: string | undefined
}

/** How far the times of records in a file may be out of order. */
export const DISORDER_MS = 60_000

/** How often a file is looked for that is renamed just then. */
const MAX_OPENINGS = 10

/**
 * Returns where a position of the log at `path` is by now, however its files were rotated since. If its record is in none of
 * them, the beginning of the next one, or of what is left: rather twice than never.
 */
export async function findPlace(path: string, position: FilePosition): Promise<FilePlace> {
  const { offset, hash, time } = position
  const id = await useFile(openFollowedFile(path), async file => file.id)
  const behind = hash === undefined ? undefined : placeBehind(hash, offset)
  const isIn = (each: string) => behind && useFile(openFollowedFile(each), file => holdsPlace(file, behind))
  if (await isIn(path)) return { path, id, offset }
  const files = await listLogFiles(path)
  const timeMs = Date.parse(time) - (hash === undefined ? DISORDER_MS : 0)
  const begun = files.filter(({ first }) => first.timeMs <= timeMs)
  if (hash !== undefined) {
    for (const file of begun.toReversed()) if (await isIn(file.path)) return placeIn(file, offset)
    const next = nextByHash(files, hash)
    if (next) return placeIn(next, 0)
  }
  const isNamed = (file: ListedFile) => file.isNamed
  const rest = begun.findLast(isNamed) ?? files.find(isNamed)
  return rest ? placeIn(rest, 0) : { path, id, offset: 0 }
}

/** Opens the very file that a position was found in: it may be renamed in between. */
export async function openPlace(path: string, position: FilePosition) {
  for (let openings = 1; ; openings++) {
    const place = await findPlace(path, position)
    const opened = await openFollowedFile(place.path)
    if (opened?.id === place.id || openings === MAX_OPENINGS) return { place, opened }
    await opened?.close()
  }
}

export function placeIn({ path, id, first }: ListedFile, offset: number): FilePlace {
  return { path, id, offset, firstKey: offset === 0 ? first.key : undefined }
}

/** Returns the file whose first record continues the one with this hash. */
export function nextByHash(files: readonly ListedFile[], hash: string): ListedFile | undefined {
  return files.find(({ first }) => first.prev === hash)
}

/**
 * Returns the position behind all that is in the log at `path` now. By its last record if that can be had, because the clock of
 * who wrote it may be another than this one's.
 */
export async function endPosition(path: string, nowMs: number): Promise<FilePosition> {
  const at = (timeMs: number) => ({ file: path, offset: 0, time: new Date(timeMs).toISOString() })
  const now = at(nowMs)
  const found = await endIn(path, now)
  if (found) return found
  const newest = (await listLogFiles(path)).filter(file => file.isNamed && file.path !== path).at(-1)
  // all that comes is new if there is nothing yet
  return newest ? ((await endIn(newest.path, now)) ?? now) : at(0)
}

/** Returns the position behind the last record of a file; undefined if it has none, or its line has no end yet. */
async function endIn(file: string, { time }: FilePosition): Promise<FilePosition | undefined> {
  return useFile(openFollowedFile(file), async opened => {
    if (opened.isCompressed) {
      const last = await readLastRecord(opened)
      return last && { file, ...last, time }
    }
    const { hash, size, torn, isMissingNewline } = await readFileEnd(opened.handle, { path: file })
    if (hash === undefined || (isMissingNewline && !torn)) return undefined
    const tornBytes = torn ? torn.bytes + (isMissingNewline ? 0 : 1) : 0
    return { file, offset: size - tornBytes, hash, time }
  })
}
