import { sha256Hex } from '../lib/hash.ts'
import type { ConfigOrigin } from './origin.ts'
import type { Sections } from './sections.ts'
import type { Files } from './source/files.ts'

/** For all paths and hashes together: an item of DynamoDB has 400 KB at most, and a record that is too long is never written. */
const MAX_FILES_BYTES = 32 * 1024

/** Files that remember the hashes of what was read. */
export interface HashedFiles extends Files {
  /** Returns the hash of a file's text; undefined if it was not read. */
  hashOf(path: string): string | undefined
}

/** Returns the same files, whose hashes are remembered. */
export function hashFiles({ read, ...others }: Files): HashedFiles {
  const hashes = new Map<string, string>()
  return {
    ...others,
    async read(path, report) {
      const text = await read(path, report)
      if (text !== undefined) hashes.set(path, sha256Hex(text))
      return text
    },
    hashOf: path => hashes.get(path),
  }
}

/** Returns the origin of a configuration, with the files that were read, as far as a record has room. Secret ones are left out. */
export function originOf(
  text: string,
  parsed?: { sections: Pick<Sections, 'issuers' | 'server'>; files: HashedFiles },
): ConfigOrigin {
  const hashes = new Map<string, string>()
  let bytes = 0
  let omittedFiles = 0
  for (const path of parsed ? publicPaths(parsed.sections) : []) {
    const hash = parsed?.files.hashOf(path)
    if (hash === undefined || hashes.has(path)) continue
    bytes += Buffer.byteLength(path) + hash.length
    if (bytes > MAX_FILES_BYTES) omittedFiles++
    else hashes.set(path, hash)
  }
  return {
    sha256: sha256Hex(text),
    files: Object.fromEntries(hashes),
    ...(omittedFiles > 0 && { omittedFiles }),
  }
}

function publicPaths({ issuers, server }: Pick<Sections, 'issuers' | 'server'>): string[] {
  const paths = [...issuers.map(([, { jwksFile }]) => jwksFile), server?.tls?.cert, server?.admin?.tls?.cert]
  return paths.filter(path => path !== undefined)
}
