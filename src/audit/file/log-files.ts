import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { AuditFile } from './read-chunks.ts'

/** The files of one log. */
export interface LogFiles {
  /** The path itself, and what it was rotated to; the path is left out if there is none now, but others. */
  readonly files: readonly AuditFile[]
  /** Paths of those that are compressed, and not by gzip: they cannot be read. */
  readonly unreadable: readonly string[]
}

/** A number or a date, as logrotate or a script puts it: `.1`, `-20261123`, `-2026-11-23T10:00:00Z`. */
const SUFFIX = /^[._-]\d[\dTZ:.+_-]*$/
const GZIP = '.gz'
const OTHER_COMPRESSION = /\.(xz|zst|bz2|lz4|lzma|Z)$/
/** How much a file may be older than its newest record, by the clock of another machine or after a copy. */
const CLOCK_SLACK_MS = 3_600_000

/**
 * Returns the log at `path` with the files beside it that it was rotated to, by their names: `audit.jsonl.1`,
 * `audit.jsonl-20261123.gz`, `audit-20261123.jsonl`. Files of other logs do not count, such as `audit-b.jsonl`. While a file is
 * being compressed it counts once. Rejects with nothing: a folder that cannot be read has no others.
 */
export async function logFilesOf(path: string): Promise<LogFiles> {
  const [folder, name] = [dirname(path), basename(path)]
  const names = await readdir(folder).catch((): string[] => [])
  const rotated = names.filter(each => isRotated(each, name))
  const unreadable = rotated.filter(each => OTHER_COMPRESSION.test(each) && !names.includes(withoutEnd(each)))
  const readable = rotated.filter(
    each => !OTHER_COMPRESSION.test(each) && !(each.endsWith(GZIP) && names.includes(withoutEnd(each))),
  )
  const others = await Promise.all(readable.map(each => rotatedFile(join(folder, each))))
  const found = others.filter(file => file !== undefined)
  return {
    files: found.length > 0 && !names.includes(name) ? found : [{ path }, ...found],
    unreadable: unreadable.map(each => join(folder, each)),
  }
}

function isRotated(name: string, of: string): boolean {
  const plain = name.endsWith(GZIP) || OTHER_COMPRESSION.test(name) ? withoutEnd(name) : name
  const extension = extname(of)
  const stem = basename(of, extension)
  return (
    (plain.startsWith(of) && SUFFIX.test(plain.slice(of.length))) ||
    (plain.startsWith(stem) &&
      plain.endsWith(extension) &&
      SUFFIX.test(plain.slice(stem.length, plain.length - extension.length)))
  )
}

function withoutEnd(name: string): string {
  return basename(name, extname(name))
}

/** What was written last is no older than the record. */
async function rotatedFile(path: string): Promise<AuditFile | undefined> {
  const stats = await stat(path).catch(() => undefined)
  return stats?.isFile() ? { path, newestMs: stats.mtimeMs + CLOCK_SLACK_MS } : undefined
}
