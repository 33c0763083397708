import { parseJsonObject } from '../../lib/json.ts'
import type { AuditFollower } from '../follower.ts'
import { type ParsedRecord, parseRecord } from '../parsed-record.ts'
import { compileQuery } from '../query.ts'
import { type FileFollower, tailFile } from './follow-file.ts'
import { RECOVERED_TYPE } from './hash-chain.ts'
import { logFilesOf } from './log-files.ts'
import { type AuditFile, isGzip } from './read-chunks.ts'
import { linesIn } from './read-lines.ts'
import { createFileSource, type FileSourceOptions } from './source.ts'

const POLL_MS = 200

export interface FollowLogOptions extends Omit<FileSourceOptions, 'files'> {
  /** Whether what the files were rotated to before is searched, too. */
  hasRotated: boolean
  now(): number
}

/** Follows audit files, each through its rotations. One that is compressed is searched, and not followed. */
export async function followLog({
  paths,
  hasRotated,
  now,
  ...parts
}: FollowLogOptions): Promise<AuditFollower> {
  const followers: { path: string; follower: FileFollower }[] = []
  const files: AuditFile[] = []
  for (const path of paths) {
    const follower = await tailFile({ path, now })
    const { first } = follower
    if (first && (await isGzip(first.handle))) {
      await follower.close()
      files.push({ path })
      continue
    }
    followers.push({ path, follower })
    if (first) files.push({ path, handle: first.handle, end: first.place().position })
    if (hasRotated) files.push(...(await logFilesOf(path)).files.filter(file => file.path !== path))
  }
  const source = createFileSource({ ...parts, paths: [], files })

  return {
    source,
    pollMs: POLL_MS,
    async *readNew(query) {
      const matches = compileQuery(query)
      for (const { path, follower } of followers) {
        let unreadable = 0
        for await (const block of follower.readNew()) {
          const found: ParsedRecord[] = []
          for (const [start, end] of linesIn(block)) {
            const text = block.toString('utf8', start, end)
            const record = parseRecord(text)
            if (record && matches(record)) found.push(record)
            if (!record && parseJsonObject(text)?.type !== RECOVERED_TYPE) unreadable++
          }
          if (found.length > 0) yield found
        }
        if (unreadable > 0) parts.onUnreadable({ where: path, lines: unreadable })
      }
    },
    async close() {
      await Promise.all(followers.map(({ follower }) => follower.close()))
    },
  }
}
