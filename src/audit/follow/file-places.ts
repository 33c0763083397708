import { readFileEnd } from '../file/file-end.ts'
import { holdsRecord, readLastRecord } from './followed-file.ts'
import type { FilePosition } from './follower.ts'
import { type ListedFile, listLogFiles, useFile } from './log-files.ts'

/** Where to read on. */
export interface FilePlace {
  readonly path: string
  /** The file itself, whatever its name becomes; undefined if there is none yet. */
  readonly id: string | undefined
  readonly offset: number
}

/** How far the times of records in a file may be out of order. */
const DISORDER_MS = 60_000

/**
 * Returns where a position of the log at `path` is by now, however its files were rotated since. If its record is in none of
 * them, the beginning of the next one, or of what is left: rather twice than never.
 */
export async function findPlace(path: string, position: FilePosition): Promise<FilePlace> {
  const { offset, hash, time } = position
  const id = await useFile(path, async file => file.id)
  if (hash !== undefined && (await useFile(path, file => holdsRecord(file, { offset, hash }))))
    return { path, id, offset }
  const files = await listLogFiles(path)
  const timeMs = Date.parse(time)
  const [earliest] = files
  const begun = files.filter(({ first }) => first.timeMs <= timeMs + (hash === undefined ? -DISORDER_MS : 0))
  if (hash !== undefined) {
    for (const file of begun.toReversed())
      if (await useFile(file.path, opened => holdsRecord(opened, { offset, hash })))
        return { path: file.path, id: file.id, offset }
    const next = nextByHash(files, hash)
    if (next) return { path: next.path, id: next.id, offset: 0 }
  }
  const rest = begun.at(-1) ?? earliest ?? { path, id }
  return { path: rest.path, id: rest.id, offset: 0 }
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
  const newest = (await listLogFiles(path)).filter(file => file.path !== path).at(-1)
  // all that comes is new if there is nothing yet
  return newest ? ((await endIn(newest.path, now)) ?? now) : at(0)
}

/** Returns the position behind the last record of a file; undefined if it has none, or its line has no end yet. */
async function endIn(file: string, { time }: FilePosition): Promise<FilePosition | undefined> {
  return useFile(file, async opened => {
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
