import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { type FileEnd, readFileEnd, readFirstBytes, readLastBytes } from './file-end.ts'
import { holdsNext } from './hash-chain.ts'

/** What is looked for was written a moment ago, or just before the last stop. */
const MAX_FILES = 20

/** Returns the regular files beside `path` whose names begin as its own without its extension: the newest, newest first. */
export async function rotatedFiles(path: string): Promise<string[]> {
  const [folder, name] = [dirname(path), basename(path)]
  const stem = basename(name, extname(name))
  const names = await readdir(folder).catch(() => [])
  const files = await Promise.all(
    names
      .filter(each => each.startsWith(stem) && each !== name && each !== `${name}.head`)
      .map(async each => {
        const file = join(folder, each)
        return { file, stats: await stat(file).catch(() => undefined) }
      }),
  )
  return files
    .filter(({ stats }) => stats?.isFile())
    .sort((a, b) => (b.stats?.mtimeMs ?? 0) - (a.stats?.mtimeMs ?? 0))
    .slice(0, MAX_FILES)
    .map(({ file }) => file)
}

/** Returns the last 4 MiB of a file; nothing if it cannot be read. */
export async function readEndOf(path: string): Promise<Buffer> {
  return (await readFrom(path, readLastBytes)) ?? Buffer.alloc(0)
}

/**
 * Follows the chain from the record with this hash through the files beside `path`, and returns the end of the last one;
 * undefined if none has that record, nor begins with the next.
 */
export async function findRotatedEnd(hash: string, path: string): Promise<FileEnd | undefined> {
  return followChain(hash, await rotatedFiles(path))
}

async function followChain(hash: string, files: readonly string[]): Promise<FileEnd | undefined> {
  for (const file of files) {
    const end = await readFrom(file, handle => readEndAfter(hash, { handle, path: file }))
    if (!end) continue
    const others = files.filter(each => each !== file)
    return (end.hash !== undefined && (await followChain(end.hash, others))) || end
  }
  return undefined
}

/** Undefined if the file does not have the record with this hash near its end, nor begins with the next. */
async function readEndAfter(
  hash: string,
  { handle, path }: { handle: FileHandle; path: string },
): Promise<FileEnd | undefined> {
  const end = await readFileEnd(handle, { path, isThorough: true })
  return end.containsHash(hash) || holdsNext(await readFirstBytes(handle), hash) ? end : undefined
}

async function readFrom<T>(path: string, read: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'r')
    return await read(handle)
  } catch {
    return undefined
  } finally {
    await handle?.close()
  }
}
