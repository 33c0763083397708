import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { codeOf } from './files.ts'
import { type ConfigSource, createConfigSource } from './source.ts'

/** A file of this machine; relative paths in it are relative to its folder. A version is a time and a size. */
export function createFileConfigSource(path: string): ConfigSource {
  const beside = (name: string) => resolve(dirname(path), name)
  return createConfigSource({
    path,
    beside,
    local: beside,
    async get(path) {
      // before the text: what is written in between shows as a change
      const version = await versionOf(path)
      return { text: await readFile(path, 'utf8'), version }
    },
    version: versionOf,
    reason: codeOf,
  })
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { mtimeMs, size } = await stat(path)
    return `${mtimeMs} ${size}`
  } catch {
    return undefined
  }
}
