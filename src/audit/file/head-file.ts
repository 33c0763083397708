import { type FileHandle, open } from 'node:fs/promises'
import type { Log } from '../../telemetry/log.ts'

const HASH = /^[0-9a-f]{64}$/

/** Remembers the last hash beside a log, so that the chain goes on where the log itself was rotated away meanwhile. */
export interface HeadFile {
  /** What it said when it was opened; undefined where it was new or unreadable. */
  readonly said: string | undefined
  /** Never rejects: the log is what counts, this is only beside it. Not synced, so a power cut may lose the last ones. */
  put(hash: string): Promise<void>
  close(): Promise<void>
}

/** Opens (or makes, mode 0600) the file at `path`. A file that cannot be had is warned of and done without. */
export async function openHeadFile(path: string, log: Log): Promise<HeadFile> {
  let warned = false
  const warn = (error: unknown) => {
    if (!warned)
      log.warn(
        { event: 'audit_head_not_kept', path, err: error },
        'the hash beside the audit log cannot be kept',
      )
    warned = true
  }
  const handle = await openOrMake(path).catch(error => void warn(error))
  const text = (await handle?.readFile('utf8').catch(() => ''))?.trim() ?? ''
  return {
    said: HASH.test(text) ? text : undefined,
    async put(hash) {
      // In place: the text is always of one length, so that a reader never finds half of it.
      await handle?.write(`${hash}\n`, 0).then(() => {
        warned = false
      }, warn)
    },
    close: async () => void (await handle?.close().catch(() => {})),
  }
}

async function openOrMake(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch {
    return open(path, 'w+', 0o600)
  }
}
