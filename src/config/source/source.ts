import { ConfigError } from '../problems.ts'
import { type Files, filesFrom } from './files.ts'

/** Where a configuration is read from, with the files that it names. */
export interface ConfigSource {
  /** Rejects with `ConfigError` where there is nothing to be read. */
  read(): Promise<{ text: string; files: Files }>
  /**
   * Whether anything that was read last, of the configuration or the files that it names, is another now or gone. Rejects
   * where the place does not answer; what can no longer be read at all counts as gone.
   */
  hasChanged(): Promise<boolean>
}

/** One kind of place. Paths are whole ones, as `beside` gives them. */
export interface ConfigLocation {
  /** The configuration's own. */
  readonly path: string
  /** The path of a file that the configuration names. */
  beside(name: string): string
  /** Where on this machine a file is to be written that the configuration names. */
  local(name: string): string
  get(path: string): Promise<{ text: string; version: string | undefined }>
  /** Which version is there now; undefined where there is none. */
  version(path: string): Promise<string | undefined>
  /** Why something failed, in a few words that no secret can stand in. */
  reason(cause: unknown): string
}

/** Remembers which versions were read. */
export function createConfigSource({
  path,
  beside,
  local,
  get,
  version,
  reason,
}: ConfigLocation): ConfigSource {
  let seen = new Map<string, string | undefined>()

  async function textAt(path: string): Promise<string> {
    seen.set(path, undefined)
    const found = await get(path)
    seen.set(path, found.version)
    return found.text
  }

  async function mainText(): Promise<string> {
    try {
      return await textAt(path)
    } catch (cause) {
      const advice = 'name another with --config or JETON_CONFIG'
      throw new ConfigError([{ path: '', message: `${path} cannot be read (${reason(cause)}); ${advice}` }])
    }
  }

  return {
    async read() {
      seen = new Map()
      const text = await mainText()
      return { text, files: filesFrom({ absolute: local, textAt: name => textAt(beside(name)), reason }) }
    },
    async hasChanged() {
      const looked = await Promise.all(
        [...seen].map(async ([path, before]) => (await version(path)) !== before),
      )
      return looked.includes(true)
    },
  }
}
