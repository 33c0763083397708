import { type FileEnd, readFileEnd, readFirstBytes, readLastBytes } from './file-end.ts'
import { filesBeside } from './files-beside.ts'
import { holdsNext } from './hash-chain.ts'
import { type OpenFile, openFile, useFile } from './open-file.ts'

/** What is looked for was written a moment ago, or just before the last stop. */
const MAX_FILES = 20

/** Returns the files beside `path` whose names begin as its own without its extension: the newest, newest first. */
export async function rotatedFiles(path: string): Promise<string[]> {
  return (await filesBeside(path))
    .sort((a, b) => b.mtimeMs - a.mtimeMs)
    .slice(0, MAX_FILES)
    .map(file => file.path)
}

/** Returns the last 4 MiB of a file; nothing if it cannot be read. */
export async function readEndOf(path: string): Promise<Buffer> {
  return (await useFile(openFile(path), ({ handle }) => readLastBytes(handle))) ?? Buffer.alloc(0)
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
    const end = await useFile(openFile(file), opened => readEndAfter(hash, opened))
    if (!end) continue
    const others = files.filter(each => each !== file)
    return (end.hash !== undefined && (await followChain(end.hash, others))) || end
  }
  return undefined
}

/** Undefined if the file does not have the record with this hash near its end, nor begins with the next. */
async function readEndAfter(hash: string, { handle, path }: OpenFile): Promise<FileEnd | undefined> {
  const end = await readFileEnd(handle, { path, isThorough: true })
  return end.containsHash(hash) || holdsNext(await readFirstBytes(handle), hash) ? end : undefined
}
