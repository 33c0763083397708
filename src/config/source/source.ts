import { UsageError } from '../../errors.ts'
import { ConfigError } from '../problems.ts'
import type { Exposure } from './exposure.ts'
import { createFiles, type Files } from './files.ts'

/** A place that a configuration is read from, with the files that it names. */
export interface ConfigSource {
  /** Reads the text, with the name that its problems call it by, and records which versions are read from now on. Throws `ConfigError` if it cannot be read, `UsageError` for a variable that names no proxy. */
  read(): Promise<{ file: string; text: string; files: Files }>
  /**
   * Whether the configuration, or a file that it names, has another version than when last read, or is gone. Rejects if the
   * place does not answer; what can no longer be read counts as gone.
   */
  hasChanged(): Promise<boolean>
}

/** One kind of place. Paths are those that `resolve` returns. */
export interface ConfigLocation {
  /** The path of the configuration itself, and the name that its problems call it by. */
  readonly path: string
  /** Returns the path of a file that the configuration names. */
  resolve(name: string): string
  /** Returns the path, on this machine, of a file that the configuration names and that jeton writes. */
  resolveLocal(name: string): string
  get(path: string): Promise<{ text: string; version: string | undefined }>
  /** Returns the current version; undefined if there is none. */
  versionOf(path: string): Promise<string | undefined>
  /** Returns what others on this machine may do with a file, if it is there. */
  exposureOf?(path: string): Promise<Exposure | undefined>
  /** Returns why something failed, in a few words that contain no secret. */
  describeFailure(cause: unknown): string
}

/** Creates a source that remembers the versions that it reads. */
export function createConfigSource(location: ConfigLocation): ConfigSource {
  const { path: configPath, resolve, resolveLocal, get, versionOf, exposureOf, describeFailure } = location
  let versions = new Map<string, string | undefined>()

  async function readText(path: string): Promise<string> {
    // without a version until it is read, so that a failed read shows as a change once the file is there
    versions.set(path, undefined)
    const { text, version } = await get(path)
    versions.set(path, version)
    return text
  }

  async function readConfigText(): Promise<string> {
    try {
      return await readText(configPath)
    } catch (cause) {
      // not the place is wrong, but a variable that names no proxy
      if (cause instanceof UsageError) throw cause
      const message = `cannot be read (${describeFailure(cause)}); name another with --config or JETON_CONFIG`
      throw new ConfigError([{ path: '', message, file: configPath, line: 1, column: 1 }])
    }
  }

  return {
    async read() {
      versions = new Map()
      const text = await readConfigText()
      const files = createFiles({
        resolve: resolveLocal,
        readText: name => readText(resolve(name)),
        ...(exposureOf && { exposureOf: name => exposureOf(resolve(name)) }),
        describeFailure,
      })
      return { file: configPath, text, files }
    },
    async hasChanged() {
      const changes = await Promise.all(
        [...versions].map(async ([path, version]) => (await versionOf(path)) !== version),
      )
      return changes.includes(true)
    },
  }
}
