import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'

/** A regular file whose name begins as that of a log without its extension. */
export interface FileBeside {
  readonly path: string
  /** Names the file itself on this machine, whatever its name becomes: its device and inode. */
  readonly id: string
  readonly mtimeMs: number
  /** Whether its name says that the log was rotated to it. If not, it may be another log's; a hash chain tells. */
  readonly isRotated: boolean
}

/** A number or a date, as logrotate or a script puts it: `.1`, `-20261123`, `-2026-11-23T10:00:00Z`. */
const SUFFIX = /^[._-]\d[\dTZ:.+_-]*$/
const COMPRESSION = /\.(gz|xz|zst|bz2|lz4|lzma|Z)$/

/**
 * Returns the files beside the log at `path`. By their names alone, these are what it was rotated to: `audit.jsonl.1`,
 * `audit.jsonl-20261123.gz`, `audit-20261123.jsonl`; but not `audit-b.jsonl`. A folder that cannot be read has none.
 */
export async function filesBeside(path: string): Promise<FileBeside[]> {
  const [folder, name] = [dirname(path), basename(path)]
  const stem = basename(name, extname(name))
  const names = await readdir(folder).catch((): string[] => [])
  const found = await Promise.all(
    names
      .filter(each => each.startsWith(stem) && each !== name && each !== `${name}.head`)
      .map(async (each): Promise<FileBeside | undefined> => {
        const file = join(folder, each)
        const stats = await stat(file).catch(() => undefined)
        if (!stats?.isFile()) return undefined
        const { mtimeMs } = stats
        return { path: file, id: fileId(stats), mtimeMs, isRotated: isRotated(each, name) }
      }),
  )
  return found.filter(file => file !== undefined)
}

/** Returns the names and numbers of the files beside a log: they change when it is rotated, not when it is written to. */
export async function namesBeside(path: string): Promise<string> {
  return (await filesBeside(path)).map(file => `${file.path} ${file.id}`).join()
}

/** Returns what names a file itself on this machine. */
export function fileId({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`
}

function isRotated(name: string, of: string): boolean {
  const plain = name.replace(COMPRESSION, '')
  const extension = extname(of)
  const stem = basename(of, extension)
  return (
    (plain.startsWith(of) && SUFFIX.test(plain.slice(of.length))) ||
    (plain.startsWith(stem) &&
      plain.endsWith(extension) &&
      SUFFIX.test(plain.slice(stem.length, plain.length - extension.length)))
  )
}
