import { isJsonObject } from '../lib/json.ts'
import type { Segments } from './problems.ts'
import type { ConfigFile } from './schema.ts'
import type { SchemaProblem } from './schema-problems.ts'

type Named<Section extends 'issuers' | 'apiKeys' | 'databases'> = NonNullable<ConfigFile[Section]>[string]
type Listed<Section extends 'grants' | 'operators' | 'audit'> = NonNullable<ConfigFile[Section]>[number]

/**
 * The parts of a configuration that the schema allows, so that they can be checked even if it does not allow others.
 * Elements of a list keep their position in the file.
 */
export interface Sections {
  /** Undefined if the schema does not allow what the file has. */
  readonly server: NonNullable<ConfigFile['server']> | undefined
  /** Undefined if the schema does not allow what the file has. */
  readonly store: NonNullable<ConfigFile['store']> | undefined
  readonly issuers: readonly (readonly [string, Named<'issuers'>])[]
  readonly apiKeys: readonly (readonly [string, Named<'apiKeys'>])[]
  readonly databases: readonly (readonly [string, Named<'databases'>])[]
  readonly grants: readonly (readonly [number, Listed<'grants'>])[]
  readonly operators: readonly (readonly [number, Listed<'operators'>])[]
  readonly audit: readonly (readonly [number, Listed<'audit'>])[]
  readonly definedNames: DefinedNames
}

/**
 * The names that grants may refer to, even of parts that the schema does not allow: each problem is reported once. Undefined
 * for a section that is no mapping or whose key is misspelled, for then nobody knows them.
 */
export interface DefinedNames {
  readonly issuers: ReadonlySet<string> | undefined
  readonly apiKeys: ReadonlySet<string> | undefined
  /** Users by the name of the database; undefined if a database has no list of them. */
  readonly databases: ReadonlyMap<string, readonly unknown[] | undefined> | undefined
}

/** Returns the parts of a parsed configuration in which no schema problem is breaking, with the defaults of missing ones. */
export function selectSoundSections(value: unknown, problems: readonly SchemaProblem[]): Sections {
  // only functions that take any value read parts that the schema does not allow
  const root: Partial<ConfigFile> = isJsonObject(value) ? value : {}
  const broken = new Set(
    problems
      .filter(({ isBreaking }) => isBreaking)
      .flatMap(({ segments }) => [keyOf(segments.slice(0, 1)), keyOf(segments.slice(0, 2))]),
  )
  const isSound = (...segments: Segments) => !broken.has(keyOf(segments))
  const soundEntries = <K extends string | number, T>(
    section: string,
    entries: readonly (readonly [K, T])[],
  ) => entries.filter(([key]) => isSound(section, key))

  const isKnown = (section: 'issuers' | 'apiKeys' | 'databases') =>
    root[section] === undefined
      ? !problems.some(({ segments, meantKey }) => segments.length === 1 && meantKey === section)
      : isJsonObject(root[section])

  return {
    server: isSound('server') ? (root.server ?? {}) : undefined,
    store: isSound('store') ? (root.store ?? { type: 'memory' }) : undefined,
    issuers: soundEntries('issuers', entriesOf(root.issuers)),
    apiKeys: soundEntries('apiKeys', entriesOf(root.apiKeys)),
    databases: soundEntries('databases', entriesOf(root.databases)),
    grants: soundEntries('grants', positionsOf(root.grants)),
    operators: soundEntries('operators', positionsOf(root.operators ?? [])),
    audit: soundEntries('audit', positionsOf(root.audit ?? [{ type: 'stdout' }])),
    definedNames: {
      issuers: isKnown('issuers') ? new Set(entriesOf(root.issuers).map(([name]) => name)) : undefined,
      apiKeys: isKnown('apiKeys') ? new Set(entriesOf(root.apiKeys).map(([name]) => name)) : undefined,
      databases: isKnown('databases')
        ? new Map(entriesOf(root.databases).map(([name, database]) => [name, usersOf(database)]))
        : undefined,
    },
  }
}

/** Returns the files that a configuration names to be read, as it names them. */
export function inputPaths({
  server,
  store,
  issuers,
}: Pick<Sections, 'server' | 'store' | 'issuers'>): string[] {
  const ofServer = [server?.tls, server?.admin?.tls].flatMap(tls => (tls ? [tls.cert, tls.key] : []))
  const ofIssuers = issuers.map(([, { jwksFile }]) => jwksFile)
  return [...ofServer, ...ofIssuers, store?.encryption?.keyFile].flat().filter(path => path !== undefined)
}

function keyOf(segments: Segments): string {
  return JSON.stringify(segments)
}

function entriesOf<T>(section: { [name: string]: T } | undefined): [string, T][] {
  return isJsonObject(section) ? Object.entries<T>(section) : []
}

function positionsOf<T>(section: readonly T[] | undefined): [number, T][] {
  return Array.isArray(section) ? [...section.entries()] : []
}

function usersOf(database: unknown): readonly unknown[] | undefined {
  const users = isJsonObject(database) ? database.users : undefined
  return Array.isArray(users) && users.length > 0 ? users : undefined
}
