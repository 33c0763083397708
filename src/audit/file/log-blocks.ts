import { type FileHandle, stat } from 'node:fs/promises'
import { readBackwards } from './read-backwards.ts'
import { LongLineError, readBlocks } from './read-blocks.ts'
import { type AuditFile, isGzip, openListed, type ReadChunksOptions, readChunks } from './read-chunks.ts'

/**
 * Yields blocks of a file's lines as `readBlocks` does, or with `isBackwards` from its end, if it can be read so: what is compressed
 * and a pipe come from their beginning all the same.
 */
export async function* readLogBlocks(
  log: AuditFile,
  { isBackwards, ...options }: ReadChunksOptions & { isBackwards: boolean },
): AsyncGenerator<Buffer> {
  if (isBackwards && (await isRegular(log))) {
    const file = log.handle ?? (await openListed(log))
    try {
      if (!(await isGzip(file))) return yield* blocksBackwards(file, log)
    } finally {
      if (!log.handle) await file.close()
    }
  }
  yield* readBlocks(readChunks(log, options))
}

/** Without opening it: who writes to a pipe may be waiting for the one reader. */
async function isRegular({ path, handle }: AuditFile): Promise<boolean> {
  return (handle ? await handle.stat() : await stat(path)).isFile()
}

async function* blocksBackwards(file: FileHandle, log: AuditFile): AsyncGenerator<Buffer> {
  const { size } = await file.stat()
  for await (const { bytes, tooLong } of readBackwards(file, { end: Math.min(size, log.end ?? size) })) {
    yield bytes
    if (tooLong > 0) throw new LongLineError()
  }
}

/** Returns the first line of a regular file; empty if it cannot be read. */
export async function readFirstLine(log: AuditFile): Promise<string> {
  try {
    if (!(await isRegular(log))) return ''
    for await (const block of readBlocks(readChunks(log))) {
      const newline = block.indexOf(10)
      return block.toString('utf8', 0, newline < 0 ? block.length : newline)
    }
  } catch {
    // whoever reads all of it says what is wrong
  }
  return ''
}
