import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { type FileBeside, filesBeside } from './files-beside.ts'
import type { AuditFile } from './read-chunks.ts'

/** The files of one log. */
export interface LogFiles {
  /** The path itself, and what it was rotated to; the path is left out if there is none now, but others. */
  readonly files: readonly AuditFile[]
  /** Paths of those that are compressed, and not by gzip: they cannot be read. */
  readonly unreadable: readonly string[]
}

const GZIP = '.gz'
const OTHER_COMPRESSION = /\.(xz|zst|bz2|lz4|lzma|Z)$/
/** How much a file may be older than its newest record, by the clock of another machine or after a copy. */
const CLOCK_SLACK_MS = 3_600_000

/**
 * Returns the log at `path` with the files beside it that it was rotated to, by their names. While a file is being compressed it
 * counts once.
 */
export async function logFilesOf(path: string): Promise<LogFiles> {
  const rotated = (await filesBeside(path)).filter(({ isRotated }) => isRotated)
  const paths = new Set(rotated.map(file => file.path))
  const isOther = (file: FileBeside) => OTHER_COMPRESSION.test(file.path)
  const isCopy = (file: FileBeside) => paths.has(withoutEnd(file.path))
  const files = rotated.filter(each => !isOther(each) && !(each.path.endsWith(GZIP) && isCopy(each)))
  const isThere = files.length === 0 || (await stat(path).catch(() => undefined)) !== undefined
  return {
    files: [...(isThere ? [{ path }] : []), ...files.map(auditFile)],
    unreadable: rotated.filter(each => isOther(each) && !isCopy(each)).map(each => each.path),
  }
}

function withoutEnd(path: string): string {
  return path.slice(0, path.length - extname(path).length)
}

/** What was written last is no older than the record. */
function auditFile({ path, id, mtimeMs }: FileBeside): AuditFile {
  return { path, id, newestMs: mtimeMs + CLOCK_SLACK_MS }
}
