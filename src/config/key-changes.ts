import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config.ts'
import { pathText, type Segments } from './problems.ts'

/** The sections that a process is made of; the others say who may have what. */
type ProcessSections = Pick<Config, 'server' | 'store' | 'audit'>

/** One key of the file whose value differs between two configurations. */
export interface KeyChange {
  readonly section: keyof ProcessSections
  /** Its path in the file, such as `server.port` or `audit[1].path`. */
  readonly key: string
  /** What it was and what it is now, defaults included; undefined if it was or is not set, and for what comes from files. */
  readonly from?: unknown
  readonly to?: unknown
}

/** What comes from files is one key, and may be secret. */
const FROM_FILES = ['server.tls', 'server.admin.tls', 'store.encryption.keyFile']

/**
 * Returns each key of `server`, `store` and `audit` that differs between two configurations, in the order of the file's
 * sections, with its values if they stand in the file themselves.
 */
export function keyChanges(before: ProcessSections, after: ProcessSections): KeyChange[] {
  const sections = ['server', 'store', 'audit'] as const
  const [one, other] = [asInFile(before), asInFile(after)]
  return sections.flatMap(section =>
    changesAt([section], { from: one[section], to: other[section] }).map(change => ({ section, ...change })),
  )
}

function asInFile({ server, store, audit }: ProcessSections) {
  if (store.type === 'memory') return { server, store, audit }
  const { encryption, ...table } = store
  const inFile = encryption.type === 'kms' ? { kmsKeyId: encryption.kmsKeyId } : { keyFile: encryption.keys }
  return { server, store: { ...table, encryption: inFile }, audit }
}

function changesAt(
  path: Segments,
  { from, to }: { from: unknown; to: unknown },
): Omit<KeyChange, 'section'>[] {
  // not as JSON, which would leave key objects out
  if (isDeepStrictEqual(from, to)) return []
  const key = pathText(path)
  if (FROM_FILES.includes(key)) return [{ key }]
  const [one, other] = [membersOf(from), membersOf(to)]
  if (!one && !other) return [{ key, from, to }]
  const names = new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])])
  return [...names].flatMap(name =>
    changesAt([...path, name], { from: one?.get(name), to: other?.get(name) }),
  )
}

function membersOf(value: unknown): Map<string | number, unknown> | undefined {
  if (Array.isArray(value)) return new Map(value.entries())
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined
}
