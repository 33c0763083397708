import { filesBeside } from '../file/files-beside.ts'
import { useFile } from '../file/open-file.ts'
import { type FirstRecord, openFollowedFile, readFirstRecord } from './followed-file.ts'

/** A file with records of a log. */
export interface ListedFile {
  readonly path: string
  readonly id: string
  readonly isCompressed: boolean
  readonly first: FirstRecord
  /** Whether its name says that it is of this log; if not, it may be another's, and only the hash chain tells. */
  readonly isNamed: boolean
}

/**
 * Returns the files with the records of a log, by the time of their first: the one at `path`, and those beside it whose names
 * begin as its own without its extension. What is being compressed is there twice, the plain one first. Files that cannot be
 * read, or are no audit files, are left out.
 */
export async function listLogFiles(path: string): Promise<ListedFile[]> {
  const files: ListedFile[] = []
  for (const { path: each, isRotated } of await filesBeside(path)) {
    const listed = await describeLogFile(each, isRotated)
    if (listed) files.push(listed)
  }
  const live = await describeLogFile(path)
  // it was renamed just now, and listed by its new name
  if (live && !files.some(({ id }) => id === live.id)) files.push(live)
  return files.sort(
    (a, b) => a.first.timeMs - b.first.timeMs || Number(a.isCompressed) - Number(b.isCompressed),
  )
}

/** Returns a file with its first record; undefined if it has none, or cannot be read. */
export async function describeLogFile(path: string, isNamed = true): Promise<ListedFile | undefined> {
  return useFile(openFollowedFile(path), async file => {
    const first = await readFirstRecord(file)
    return first && { path, id: file.id, isCompressed: file.isCompressed, first, isNamed }
  })
}
