import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { systemCode } from '../../lib/system-error.ts'
import { exposureOf } from './exposure.ts'
import { type ConfigSource, createConfigSource } from './source.ts'

/** Creates a source for a file on this machine. Relative paths start at its folder. A version is a time and a size. */
export function createFileConfigSource(path: string): ConfigSource {
  const resolveBeside = (name: string) => resolve(dirname(path), name)
  return createConfigSource({
    path,
    resolve: resolveBeside,
    resolveLocal: resolveBeside,
    async get(path) {
      // before the text: a write between the two then shows as a change
      const version = await versionOf(path)
      return { text: await readFile(path, 'utf8'), version }
    },
    versionOf,
    exposureOf,
    describeFailure: cause => systemCode(cause) ?? 'unknown error',
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
