import type { AuditFile } from '../file/read-chunks.ts'
import { createFileSource, type FileSourceOptions } from '../file/source.ts'
import { compileQuery } from '../query.ts'
import { type FollowStart, followFrom } from './file-follower.ts'
import type { FollowedSearch } from './followed-search.ts'
import type { FollowEvents, LogFollower } from './follower.ts'
import { openEnd } from './open-end.ts'

const POLL_MS = 200
const RECORDS_AT_ONCE = 500
/** How many of them one call reads of a log, so that one that is written to without a pause lets others come to their turn. */
const MAX_BATCHES = 50

export interface SearchFilesOptions extends Omit<FileSourceOptions, 'files'> {
  /** Whether what the files were rotated to before is searched, too. */
  hasRotated: boolean
  onMissing: FollowEvents['onMissing']
  now(): number
}

/**
 * Searches audit files, or the kept output of a stdout sink, and follows each through its rotations. One that is compressed is
 * searched, and not followed. Without a hash chain, the times of files tell in which order they come.
 */
export async function searchAndFollowFiles(options: SearchFilesOptions): Promise<FollowedSearch> {
  const { paths, hasRotated, now, onMissing, ...notes } = options
  const files: AuditFile[] = []
  const starts: { path: string; start: FollowStart }[] = []
  const known = new Set<string>()
  for (const path of paths) {
    const { start, rotated, known: keys } = await openEnd(path, now())
    for (const key of keys) known.add(key)
    const { file, offset } = start
    if (file && (hasRotated || file.path === path))
      files.push(file.isCompressed ? { path } : { path: file.path, handle: file.handle, end: offset })
    if (hasRotated) files.push(...rotated)
    if (file?.isCompressed) await file.close()
    else starts.push({ path, start })
  }
  const logs = starts.map(({ path, start }) => {
    let unreadable = 0
    const follower = followFrom(start, {
      path,
      needsChain: false,
      known,
      onMissing,
      onUnreadable: () => void unreadable++,
    })
    function tellUnreadable(): void {
      if (unreadable > 0) notes.onUnreadable({ where: path, lines: unreadable })
      unreadable = 0
    }
    return { follower, tellUnreadable }
  })
  const source = createFileSource({ ...notes, paths: [], files })

  return {
    source,
    pollMs: POLL_MS,
    async *readNew(query) {
      const matches = compileQuery(query)
      for (const { follower, tellUnreadable } of logs) {
        for await (const records of batchesOf(follower)) yield records.filter(matches)
        tellUnreadable()
      }
    },
    async close() {
      await Promise.all(logs.map(({ follower }) => follower.close()))
    },
  }
}

async function* batchesOf(follower: LogFollower<unknown>) {
  for (let batches = 0; batches < MAX_BATCHES; batches++) {
    const { records, isAtEnd } = await follower.next(RECORDS_AT_ONCE)
    yield records
    if (isAtEnd) return
  }
}
