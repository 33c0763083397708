import type { Database } from '../rds/database.ts'
import { checkApiKeys } from './checks/api-keys.ts'
import { checkAudit } from './checks/audit.ts'
import { checkDatabaseSection, checkShared } from './checks/databases.ts'
import { checkGrant, checkUniqueNames } from './checks/grants.ts'
import { checkDistinct, checkIssuer } from './checks/issuers.ts'
import { checkServer } from './checks/server.ts'
import { checkStore } from './checks/store.ts'
import type { Config, IssuerConfig } from './config.ts'
import { parsePlainJson } from './parse-json.ts'
import { ConfigError, type Problem } from './problems.ts'
import { type Report, reportTo } from './report.ts'
import { schemaProblems } from './schema-problems.ts'
import { type Sections, soundSections } from './sections.ts'
import { type Files, withoutFiles } from './source/files.ts'
import { openConfigSource } from './source/open-source.ts'
import type { ConfigSource } from './source/source.ts'

/**
 * Reads and checks the configuration at `path`, a file's or `s3://BUCKET/KEY`, and every file that it names. Throws
 * `ConfigError` with all of its problems at once. Asks nothing of the network but S3: a role, a resource id or an issuer
 * may be well formed and not exist.
 */
export async function loadConfig(path: string, listen: Listen = {}): Promise<Config> {
  return loadFrom(openConfigSource(path), listen)
}

/** The same, of a source that is at hand. */
export async function loadFrom(source: ConfigSource, listen: Listen = {}): Promise<Config> {
  const { text, files } = await source.read()
  return checkConfig(await parse(text), { files, listen })
}

/** Where to listen instead of where the file says; held to the same rules. */
export interface Listen {
  host?: string | undefined
  port?: number | undefined
}

/** Who may have what and where it is recorded, without the means to serve it. */
export interface StaticConfig extends Pick<Config, 'databases' | 'grants' | 'audit'> {
  readonly issuers: readonly Pick<IssuerConfig, 'name' | 'issuer' | 'audience'>[]
}

/** As `loadConfig`, for where the files that a configuration names are not at hand: none of them is read. */
export async function loadStaticConfig(path: string): Promise<StaticConfig> {
  const { text, files } = await openConfigSource(path).read()
  return checkConfig(await parse(text), { files: withoutFiles(files), listen: {} })
}

/** Most configurations of a machine's making need no YAML, and who starts cold need not load it. */
async function parse(text: string): Promise<unknown> {
  const value = parsePlainJson(text)
  return value === undefined ? (await import('./parse-yaml.ts')).parseConfigText(text) : value
}

async function checkConfig(
  value: unknown,
  { files, listen }: { files: Files; listen: Listen },
): Promise<Config> {
  const ofSchema = await schemaProblems(value)
  const parts = soundSections(value, ofSchema)
  const problems: Problem[] = ofSchema.map(({ path, message }) => ({ path, message }))
  const report = reportTo(problems)

  const server =
    parts.server &&
    (await checkServer(overridden(parts.server, listen), { files, report: report.at('server') }))
  const issuers = await checkIssuers(parts.issuers, { files, report: report.at('issuers') })
  const apiKeys = checkApiKeys(parts.apiKeys, report.at('apiKeys'))
  const databases = checkDatabases(parts.databases, report.at('databases'))
  const grants = checkGrants(parts, report.at('grants'))
  const store = parts.store && (await checkStore(parts.store, { files, report: report.at('store') }))
  const audit = checkAudit(parts.audit, { files, report: report.at('audit'), store: parts.store })

  if (!server || !store || problems.length > 0) throw new ConfigError(problems)
  return { server, issuers, apiKeys, databases, grants, store, audit }
}

function overridden(server: NonNullable<Sections['server']>, { host, port }: Listen): typeof server {
  return { ...server, ...(host !== undefined && { host }), ...(port !== undefined && { port }) }
}

async function checkIssuers(
  entries: Sections['issuers'],
  { files, report }: { files: Files; report: Report },
): Promise<IssuerConfig[]> {
  const issuers: IssuerConfig[] = []
  for (const entry of entries) issuers.push(await checkIssuer(entry, { files, report: report.at(entry[0]) }))
  // Keys that were to be pinned and could not be read are told already, and may be anything.
  const isKnown = (_: IssuerConfig, i: number) => entries[i]?.[1].jwksFile === undefined || issuers[i]?.jwks
  checkDistinct(issuers.filter(isKnown), report)
  return issuers
}

function checkDatabases(entries: Sections['databases'], report: Report): Database[] {
  const databases = entries
    .map(entry => checkDatabaseSection(entry, report.at(entry[0])))
    .filter((database): database is Database => database !== undefined)
  checkShared(databases, report)
  return databases
}

function checkGrants({ grants, named }: Sections, report: Report): Config['grants'] {
  for (const [position, grant] of grants) checkGrant(grant, { named, report: report.at(position) })
  checkUniqueNames(grants, report)
  return grants.map(([, grant]) => grant)
}
