import { isJsonObject } from '../lib/json.ts'
import { timeOf } from './parsed-record.ts'

/** The release of the schema that events are made by: https://schema.ocsf.io/1.8.0/ */
export const OCSF_VERSION = '1.8.0'

/** An OCSF event (Open Cybersecurity Schema Framework). Members that are undefined are not in its JSON. */
export interface OcsfEvent {
  readonly category_uid: number
  readonly class_uid: number
  readonly activity_id: number
  readonly type_uid: number
  readonly severity_id: number
  readonly status_id: number
  /** In milliseconds. */
  readonly time: number
  readonly message: string
  readonly metadata: OcsfMetadata
  readonly [attribute: string]: unknown
}

interface OcsfMetadata {
  readonly version: typeof OCSF_VERSION
  /** The record's id: of two events with one, the second is a copy. */
  readonly uid: string
  readonly [attribute: string]: unknown
}

/** A number of one of the schema's lists, and the caption that goes with it. */
export interface OcsfChoice {
  readonly id: number
  readonly name: string
}

export const INFORMATIONAL: OcsfChoice = { id: 1, name: 'Informational' }
export const LOW: OcsfChoice = { id: 2, name: 'Low' }
export const MEDIUM: OcsfChoice = { id: 3, name: 'Medium' }
const SUCCESS: OcsfChoice = { id: 1, name: 'Success' }
const FAILURE: OcsfChoice = { id: 2, name: 'Failure' }
/** Both classes in use are of this category. */
const CATEGORY: OcsfChoice = { id: 6, name: 'Application Activity' }

/** What an event says of the kind of its record. */
export interface OcsfKind {
  readonly class: OcsfChoice
  readonly activity: OcsfChoice
  readonly severity: OcsfChoice
  readonly isSuccess: boolean
}

/** Returns the attributes that say what kind of event it is: numbers, and their captions. */
export function classification({ class: { id, name }, activity, severity, isSuccess }: OcsfKind) {
  const status = isSuccess ? SUCCESS : FAILURE
  return {
    category_uid: CATEGORY.id,
    category_name: CATEGORY.name,
    class_uid: id,
    class_name: name,
    activity_id: activity.id,
    activity_name: activity.name,
    type_uid: id * 100 + activity.id,
    type_name: `${name}: ${activity.name}`,
    severity_id: severity.id,
    severity: severity.name,
    status_id: status.id,
    status: status.name,
  }
}

/** Returns text, also of a number; undefined for all that is not, because nobody has checked what the log contains. */
export function recordedText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Returns a time of a record in milliseconds; undefined if it is not one. */
export function recordedMs(time: unknown): number | undefined {
  return timeOf({ time })
}

/** Returns the members with other names than these, as they are; undefined if there are none. */
export function unmappedOf(record: object, mapped: readonly string[]): object | undefined {
  const left = Object.entries(record).filter(([name]) => !mapped.includes(name))
  return left.length === 0 ? undefined : Object.fromEntries(left)
}

/** Returns a value if it is an object, else one without members. */
export function recordedObject(value: unknown): Readonly<Record<string, unknown>> {
  return isJsonObject(value) ? value : {}
}
