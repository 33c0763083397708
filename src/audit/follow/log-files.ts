import { readdir } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { type FirstRecord, type FollowedFile, openFollowedFile, readFirstRecord } from './followed-file.ts'

/** A file with records of a log. */
export interface ListedFile {
  readonly path: string
  readonly id: string
  readonly isCompressed: boolean
  readonly first: FirstRecord
}

/** As many days, or hours, as anybody keeps beside a log. */
const MAX_FILES = 10_000

/**
 * Returns the files with the records of a log, by the time of their first: the one at `path`, and those beside it whose names
 * begin as its own without its extension, as rotation makes them. What is being compressed is there twice, the plain one first.
 * Files that cannot be read, or are no audit files, are left out.
 */
export async function listLogFiles(path: string): Promise<ListedFile[]> {
  const [folder, name] = [dirname(path), basename(path)]
  const stem = basename(name, extname(name))
  const names = (await readdir(folder)).filter(each => each.startsWith(stem) && each !== `${name}.head`)
  const files: ListedFile[] = []
  for (const each of names.slice(0, MAX_FILES)) {
    const listed = await describeLogFile(join(folder, each))
    if (listed) files.push(listed)
  }
  return files.sort(
    (a, b) => a.first.timeMs - b.first.timeMs || Number(a.isCompressed) - Number(b.isCompressed),
  )
}

/** Returns a file with its first record; undefined if it has none, or cannot be read. */
export async function describeLogFile(path: string): Promise<ListedFile | undefined> {
  return useFile(path, async file => {
    const first = await readFirstRecord(file)
    return first && { path, id: file.id, isCompressed: file.isCompressed, first }
  })
}

/** Returns what `use` does with a file; undefined if the file is gone or cannot be read. */
export async function useFile<T>(
  path: string,
  use: (file: FollowedFile) => Promise<T>,
): Promise<T | undefined> {
  const file = await openFollowedFile(path).catch(() => undefined)
  try {
    return file && (await use(file))
  } catch {
    return undefined
  } finally {
    await file?.close()
  }
}
