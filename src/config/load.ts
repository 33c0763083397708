import { basename } from 'node:path'
import { freezeDeep } from '../lib/freeze-deep.ts'
import { mergeCascades } from './cascades.ts'
import { checkApiKeys } from './checks/api-keys.ts'
import { checkAudit } from './checks/audit.ts'
import { checkDatabases } from './checks/databases.ts'
import { checkGrants } from './checks/grants.ts'
import { checkIssuers, checkTenancies } from './checks/issuers.ts'
import { checkOperators } from './checks/operators.ts'
import { checkServer } from './checks/server.ts'
import { checkStore } from './checks/store.ts'
import type { Config, IssuerConfig } from './config.ts'
import { hashFiles, originOf } from './hash-origin.ts'
import type { ConfigOrigin } from './origin.ts'
import { parsePlainJson } from './parse-json.ts'
import { type ConfigText, placeProblems } from './placed-problems.ts'
import { ConfigError, createReport, limitProblems, type Problem } from './problems.ts'
import type { Purpose } from './purpose.ts'
import { findSchemaProblems } from './schema-problems.ts'
import { inputPaths, type Sections, selectSoundSections } from './sections.ts'
import { type Files, withoutFiles } from './source/files.ts'
import { openConfigSource } from './source/open-source.ts'
import type { ConfigSource } from './source/source.ts'
import { warnOfExposedFiles } from './warnings/exposed-files.ts'
import { findStrayText } from './warnings/stray-text.ts'
import { findWarnings } from './warnings.ts'

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

/** Overrides the configured address; the same rules apply. */
export interface Listen {
  host?: string | undefined
  port?: number | undefined
}

export interface LoadOptions extends Listen {
  /** Default: `check`, which is the strictest. */
  purpose?: Purpose
  /** The time in milliseconds; default: the machine's. */
  now?: number
  /** Whether what runs jeton keeps its stdout, as Lambda does, so that it may be the only log. */
  keepsStdout?: boolean
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

interface CheckedConfig {
  readonly config: Config | undefined
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  readonly origin: ConfigOrigin
}

async function checkConfig(
  value: unknown,
  {
    file,
    text,
    files: unhashed,
    purpose = 'check',
    now = Date.now(),
    keepsStdout = false,
    ...listen
  }: LoadOptions & ConfigText & { files: Files },
): Promise<CheckedConfig> {
  const files = hashFiles(unhashed)
  const schemaProblems = await findSchemaProblems(value)
  const sections = selectSoundSections(value, schemaProblems)
  const found: Problem[] = [...schemaProblems]
  const report = createReport(found)
  const doubts: Problem[] = []
  const doubtReport = createReport(doubts)
  const at = (section: keyof Sections) => ({
    files,
    purpose,
    now,
    report: report.at(section),
    warnings: doubtReport.at(section),
  })

  const server =
    sections.server &&
    (await checkServer(
      { ...sections.server, ...given(listen) },
      { ...at('server'), hasOperators: sections.operators.length > 0 },
    ))
  const issuers = await checkIssuers(sections.issuers, at('issuers'))
  const tenancies = checkTenancies(sections.issuers, report.at('issuers'))
  const apiKeys = checkApiKeys(sections.apiKeys, report.at('apiKeys'))
  const databases = checkDatabases(sections.databases, report.at('databases'))
  const principals = {
    definedNames: sections.definedNames,
    tenancies,
    issuerUrls: new Map(sections.issuers.map(([name, { issuer }]) => [name, issuer])),
  }
  const grants = checkGrants(sections.grants, { ...principals, report: report.at('grants') })
  const operators = checkOperators(sections.operators, { ...principals, report: report.at('operators') })
  const store = sections.store && (await checkStore(sections.store, at('store')))
  const inputs = [basename(file), ...inputPaths(sections)]
  const audit = await checkAudit(sections.audit, { ...at('audit'), store: sections.store, inputs })

  const origin = originOf(text, { sections, files })
  const problems = mergeCascades(found, { schemaProblems, value })
  const isSound = server && store && problems.length === 0
  await warnOfExposedFiles(sections, { file, files, warnings: doubtReport })
  const warnings = [
    ...doubts,
    ...findStrayText(value),
    ...findWarnings({
      server,
      issuers,
      databases,
      grants,
      audit: isSound && !keepsStdout ? audit : undefined,
      now,
    }),
  ]
  const config = isSound
    ? { server, issuers, apiKeys, databases, grants, operators, store, audit, origin }
    : undefined
  return { config, problems, warnings, origin }
}

/** Returns the members that are set: an undefined one must not replace the file's. */
function given({ host, port }: Listen): { host?: string; port?: number } {
  return { ...(host !== undefined && { host }), ...(port !== undefined && { port }) }
}
