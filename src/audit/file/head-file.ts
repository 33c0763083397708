import { type FileHandle, open } from 'node:fs/promises'
import type { Log } from '../../telemetry/log.ts'
import { readAt } from './file-end.ts'

const HASH = /^[0-9a-f]{64}$/
/** A hash and some white space. */
const MAX_BYTES = 100

/** Keeps the last hash beside an audit file, so that the chain continues if the file is rotated while jeton is down. */
export interface HeadFile {
  /** The hash in it when it was opened; undefined if it was new or unreadable. */
  readonly initialHash: string | undefined
  /** Never rejects, because only the audit file counts. Does not sync: a power cut may lose the last hashes. */
  write(hash: string): Promise<void>
  close(): Promise<void>
}

/** Opens the file at `path`, or creates it with mode 0600. If that fails, logs a warning and keeps no hash. */
export async function openHeadFile(path: string, log: Log): Promise<HeadFile> {
  let hasWarned = false
  const warn = (error: unknown) => {
    if (!hasWarned) log.warn({ event: 'audit_head_not_kept', path, err: error }, NOT_KEPT)
    hasWarned = true
  }
  const handle = await openOrCreate(path).catch(error => void warn(error))
  const text = handle ? await readText(handle).catch(() => '') : ''
  return {
    initialHash: HASH.test(text) ? text : undefined,
    async write(hash) {
      // in place: the text always has the same length, so that a reader never finds half of it
      await handle?.write(`${hash}\n`, 0).then(() => {
        hasWarned = false
      }, warn)
    },
    close: async () => void (await handle?.close().catch(() => {})),
  }
}

const NOT_KEPT = 'the last hash cannot be kept beside the audit file; records are still written to the file'

/** Others may write beside the audit file, too: what they put there must neither hang a start nor fill the memory. */
async function openOrCreate(path: string): Promise<FileHandle> {
  const handle = await openAnything(path)
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw new Error(`${path}: not a regular file`)
}

async function openAnything(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch {
    return open(path, 'w+', 0o600)
  }
}

async function readText(handle: FileHandle): Promise<string> {
  const bytes = await readAt(handle, { position: 0, length: MAX_BYTES })
  return bytes.toString().trim()
}
