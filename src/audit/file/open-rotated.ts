import { readFile } from 'node:fs/promises'
import { readAt, readFileEnd } from './file-end.ts'
import { readLink } from './hash-chain.ts'
import { type OpenFile, openFile } from './open-file.ts'
import { rotatedFiles } from './rotated-files.ts'

/** No record of jeton is longer. */
const FIRST_LINE_BYTES = 16 * 1024
const HASH = /^[0-9a-f]{64}$/

/** Opens the file that has this number: the one at `path`, or one beside it that it was renamed to. Undefined if there is none. */
export async function openByNumber(ino: number, path: string): Promise<OpenFile | undefined> {
  return openFirst([path, ...(await rotatedFiles(path))], async file => file.ino === ino)
}

/**
 * Opens the file that the log was in before `file`, by the hash chain: the one beside it whose last record the first of `file`
 * continues. If there is no file at `path`, or nothing in it, that is the one that ends with the hash in `PATH.head`. Undefined
 * if there is none that can be read as it is: it may be compressed.
 */
export async function openPrevious(file: OpenFile | undefined, path: string): Promise<OpenFile | undefined> {
  const hash = file && file.size > 0 ? await continuedHash(file) : await keptHash(path)
  if (hash === undefined) return undefined
  return openFirst(await rotatedFiles(path), async candidate => {
    const end = await readFileEnd(candidate.handle, candidate)
    return end.hash === hash && candidate.ino !== file?.ino
  })
}

async function openFirst(
  paths: readonly string[],
  isWanted: (file: OpenFile) => Promise<boolean>,
): Promise<OpenFile | undefined> {
  for (const path of paths) {
    const file = await openFile(path).catch(() => undefined)
    if (!file) continue
    if (await isWanted(file).catch(() => false)) return file
    await file.handle.close()
  }
  return undefined
}

async function continuedHash({ handle }: OpenFile): Promise<string | undefined> {
  const bytes = await readAt(handle, { position: 0, length: FIRST_LINE_BYTES })
  const newline = bytes.indexOf(10)
  return newline < 0 ? undefined : readLink(bytes.subarray(0, newline))?.prev
}

async function keptHash(path: string): Promise<string | undefined> {
  const text = await readFile(`${path}.head`, 'utf8').catch(() => '')
  return HASH.exec(text.trim())?.[0]
}
