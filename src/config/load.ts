import { freezeDeep } from '../lib/freeze-deep.ts'
import { checkConfig, type Listen, type LoadOptions } from './check-config.ts'
import type { Config, IssuerConfig } from './config.ts'
import { originOf } from './hash-origin.ts'
import type { ConfigOrigin } from './origin.ts'
import { parsePlainJson } from './parse-json.ts'
import { type ConfigText, placeProblems } from './placed-problems.ts'
import { ConfigError, limitProblems, type Problem } from './problems.ts'
import { type Files, withoutFiles } from './source/files.ts'
import { openConfigSource } from './source/open-source.ts'
import type { ConfigSource } from './source/source.ts'

/**
 * Loads and checks the configuration at `path`, a file or an `s3://` URL, with every file that it names. Throws
 * `ConfigError` with all of its problems. Uses no network but S3, so it does not check that a role, a resource id or an
 * issuer exists.
 */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<Config> {
  return loadFrom(openConfigSource(path), options)
}

/** Loads and checks the configuration of an open source, as `loadConfig` does. */
export async function loadFrom(source: ConfigSource, options: LoadOptions = {}): Promise<Config> {
  return requireConfig(await examineFrom(source, options))
}

/** All that can be said of a configuration, with the text that problems and warnings point into. */
export interface ExaminedConfig extends ConfigText {
  /** Undefined if there are problems. */
  readonly config: Config | undefined
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  readonly origin: ConfigOrigin
}

/** Examines the configuration at `path` as `loadConfig` does. Throws `ConfigError` only if it cannot be read. */
export async function examineConfig(path: string, options: LoadOptions = {}): Promise<ExaminedConfig> {
  return examineFrom(openConfigSource(path), options)
}

/** What commands need of a configuration, without what only serving needs. */
export interface StaticConfig extends Pick<Config, 'databases' | 'grants' | 'audit'> {
  readonly issuers: readonly Pick<IssuerConfig, 'name' | 'issuer' | 'audience' | 'maxLifetimeSeconds'>[]
}

/** Loads and checks a configuration as `loadConfig` does, without reading the files that it names: they may be elsewhere. */
export async function loadStaticConfig(path: string): Promise<StaticConfig> {
  return loadWithoutFiles(openConfigSource(path))
}

/** As `loadStaticConfig`, for whoever replaces what comes from files: certificates, pinned keys and those of the store. */
export async function loadWithoutFiles(source: ConfigSource, listen: Listen = {}): Promise<Config> {
  const { files, ...text } = await source.read()
  return requireConfig(await examine(text, { files: withoutFiles(files), purpose: 'describe', ...listen }))
}

async function examineFrom(source: ConfigSource, options: LoadOptions): Promise<ExaminedConfig> {
  const { files, ...text } = await source.read()
  return examine(text, { files, ...options })
}

function requireConfig({ config, problems, origin }: ExaminedConfig): Config {
  if (config === undefined) throw new ConfigError(problems, origin)
  return config
}

/** Loads the YAML parser only if needed: it slows down a cold start, and configurations made by programs are plain JSON. */
async function parse(text: string): Promise<{ value: unknown; isPlainJson: boolean }> {
  const value = parsePlainJson(text)
  if (value !== undefined) return { value, isPlainJson: true }
  return { value: (await import('./yaml/parse-yaml.ts')).parseConfigText(text), isPlainJson: false }
}

async function examine(
  { file, text }: ConfigText,
  options: LoadOptions & { files: Files },
): Promise<ExaminedConfig> {
  let parsed: Awaited<ReturnType<typeof parse>>
  try {
    parsed = await parse(text)
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    const problems = limitProblems(cause.problems).map(problem => ({ line: 1, column: 1, ...problem, file }))
    return { file, text, config: undefined, problems, warnings: [], origin: originOf(text) }
  }
  const { value, isPlainJson } = parsed
  const { purpose = 'check' } = options
  const found = await checkConfig(value, { file, text, ...options })
  const problems = await placeProblems(found.problems, { file, text, value })
  // a cold start must not load the parser of YAML for a line and a column alone: the path says what is doubtful
  const isPathEnough = isPlainJson && purpose !== 'check'
  const warnings = await placeProblems(found.warnings, { file, text, value, isPathEnough })
  // whoever is given a part of it must not change what later configurations are compared with
  const config = found.config && freezeDeep({ ...found.config, warnings })
  return { file, text, config, problems, warnings, origin: found.origin }
}
