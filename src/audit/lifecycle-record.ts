import { randomUUID } from 'node:crypto'
import { type ConfigChanges, configChanges } from '../config/changes.ts'
import type { Config } from '../config/config.ts'
import type { ConfigOrigin } from '../config/origin.ts'
import type { Clock } from '../lib/clock.ts'

/** The types of lifecycle records. */
export const LIFECYCLE_TYPES = [
  'jeton.audit.started',
  'jeton.audit.reloaded',
  'jeton.audit.reload_refused',
  'jeton.audit.stopped',
] as const

/**
 * A record of the process itself: by which rules it decided from when until when. Members are names, hashes and counts,
 * never a value of the configuration.
 */
export interface LifecycleRecord {
  readonly type: (typeof LIFECYCLE_TYPES)[number]
  readonly v: 1
  readonly id: string
  readonly time: string
  readonly instance: string
  /** The release of jeton. */
  readonly jeton: string
  /** The configuration in use from then on, or until a stop; of a refused reload, the one that was refused, if it could be read. */
  readonly configuration?: { readonly source: string } & Partial<ConfigOrigin>
  /** What a reload changed. */
  readonly changes?: ConfigChanges
  /** How many problems a refused configuration has: the program's log has them. */
  readonly problems?: number
  /** The signal that ended the process. */
  readonly signal?: string
}

/** What all lifecycle records of one process share. */
export interface LifecycleFacts {
  readonly clock: Pick<Clock, 'now'>
  readonly instance: string
  readonly version: string
  /** Where the configuration is read from: a path or an `s3://` URL. */
  readonly configPath: string
}

export interface LifecycleRecords {
  started(config: Config): LifecycleRecord
  reloaded(before: Config, after: Config): LifecycleRecord
  reloadRefused(refusal: { origin: ConfigOrigin | undefined; problems: number }): LifecycleRecord
  stopped(current: Pick<Config, 'origin'>, signal?: string): LifecycleRecord
}

/** Returns the functions that make a process's lifecycle records. They write nothing. */
export function createLifecycleRecords(facts: LifecycleFacts): LifecycleRecords {
  const { clock, instance, version, configPath: source } = facts

  const record = (type: LifecycleRecord['type'], members: Partial<LifecycleRecord>): LifecycleRecord => ({
    type,
    v: 1,
    id: randomUUID(),
    time: new Date(clock.now()).toISOString(),
    instance,
    jeton: version,
    ...members,
  })
  const configurationOf = (origin: ConfigOrigin | undefined) => ({ source, ...origin })

  return {
    started: ({ origin }) => record('jeton.audit.started', { configuration: configurationOf(origin) }),
    reloaded: (before, after) =>
      record('jeton.audit.reloaded', {
        configuration: configurationOf(after.origin),
        changes: configChanges(before, after),
      }),
    reloadRefused: ({ origin, problems }) =>
      record('jeton.audit.reload_refused', { configuration: configurationOf(origin), problems }),
    stopped: ({ origin }, signal) =>
      record('jeton.audit.stopped', {
        configuration: configurationOf(origin),
        ...(signal !== undefined && { signal }),
      }),
  }
}

/** Whether a record's type is that of a lifecycle record. */
export function isLifecycleType(type: unknown): type is LifecycleRecord['type'] {
  return LIFECYCLE_TYPES.some(each => each === type)
}
