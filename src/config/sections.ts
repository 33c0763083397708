import type { Named } from './checks/grants.ts'
import type { Segments } from './problems.ts'
import type { ConfigFile } from './schema.ts'
import type { SchemaProblem } from './schema-problems.ts'

type Section<Name extends 'issuers' | 'apiKeys' | 'databases'> = NonNullable<ConfigFile[Name]>
type AuditLog = NonNullable<ConfigFile['audit']>[number]

/**
 * The parts of a configuration that are of the schema, so that they can be checked though others are not. What stands in a
 * list keeps its position in the file.
 */
export interface Sections {
  /** Undefined where it is there and not of the schema. */
  readonly server: NonNullable<ConfigFile['server']> | undefined
  /** Undefined where it is there and not of the schema. */
  readonly store: NonNullable<ConfigFile['store']> | undefined
  readonly issuers: readonly [string, Section<'issuers'>[string]][]
  readonly apiKeys: readonly [string, Section<'apiKeys'>[string]][]
  readonly databases: readonly [string, Section<'databases'>[string]][]
  readonly grants: readonly [number, ConfigFile['grants'][number]][]
  readonly audit: readonly [number, AuditLog][]
  /** What grants may refer to, in whatever shape it is: a fault is told where it lies and nowhere else. */
  readonly named: Named
}

export function soundSections(value: unknown, problems: readonly SchemaProblem[]): Sections {
  const root: Partial<ConfigFile> = isMapping(value) ? value : {}
  const broken = new Set(
    problems
      .filter(({ breaks }) => breaks)
      .flatMap(({ segments }) => [keyOf(segments, 1), keyOf(segments, 2)]),
  )
  const isSound = (...part: Segments) => !broken.has(keyOf(part, part.length))
  const sound = <K extends string | number, T>(section: string, entries: readonly (readonly [K, T])[]) =>
    entries.filter(([key]) => isSound(section, key)).map(([key, part]): [K, T] => [key, part])

  return {
    server: isSound('server') ? (root.server ?? {}) : undefined,
    store: isSound('store') ? (root.store ?? { type: 'memory' }) : undefined,
    issuers: sound('issuers', entriesOf(root.issuers)),
    apiKeys: sound('apiKeys', entriesOf(root.apiKeys)),
    databases: sound('databases', entriesOf(root.databases)),
    grants: sound('grants', positionsOf(root.grants)),
    audit: sound('audit', positionsOf(root.audit ?? [{ type: 'stdout' }])),
    named: {
      issuers: new Map(entriesOf(root.issuers).map(([name, issuer]) => [name, urlOf(issuer)])),
      apiKeys: new Set(entriesOf(root.apiKeys).map(([name]) => name)),
      databases: new Map(entriesOf(root.databases).map(([name, database]) => [name, usersOf(database)])),
    },
  }
}

function keyOf(segments: Segments, length: number): string {
  return JSON.stringify(segments.slice(0, length))
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function entriesOf<T>(section: { [name: string]: T } | undefined): [string, T][] {
  return isMapping(section) ? Object.entries(section) : []
}

function positionsOf<T>(section: readonly T[] | undefined): [number, T][] {
  return Array.isArray(section) ? [...section.entries()] : []
}

function urlOf(issuer: unknown): string {
  return isMapping(issuer) && 'issuer' in issuer && typeof issuer.issuer === 'string' ? issuer.issuer : ''
}

function usersOf(database: unknown): readonly unknown[] | undefined {
  const users = isMapping(database) && 'users' in database ? database.users : undefined
  return Array.isArray(users) && users.length > 0 ? users : undefined
}
