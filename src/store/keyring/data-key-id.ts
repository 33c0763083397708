import type { KeyObject } from 'node:crypto'
import { sha256Hex } from '../../lib/hash.ts'
import { DAY_MS, isoDay } from '../../lib/iso-time.ts'
import { keyDigest } from './key-digest.ts'

/** A key encrypts on its own day and, while there is no newer one, on the next; no record lives for as long after that. */
const USABLE_DAYS = 3
/** The clock of the instance that began a day may have been ahead. */
const MAX_CLOCK_DIFFERENCE_MS = 60_000
/**
 * The last day whose data key may be one that KMS did not bind to its record, as before 0.1: it still decrypts, never
 * encrypts. Without an end, a key that was stolen then could be planted under a new day's name for ever.
 */
const LAST_UNBOUND_DAY = '2026-12-31'
const ID = /^(data-key\/[0-9a-f]{12}\/(\d{4}-\d{2}-\d{2}))(\/[0-9a-f]{16})?$/

/** Where the fleet keeps the data key of a day. */
export interface DataKeyPlace {
  /** What the ids of all keys of the day begin with: `data-key/…/2026-11-23`. */
  readonly name: string
  /** The key of the record. A later format takes another one, as this did: what cannot be opened is replaced. */
  readonly recordKey: string
  /** What KMS binds the key to, so that it opens in no other record; undefined for keys from before 0.1. */
  readonly boundTo: string | undefined
  /** From when until when (ms) it is of use; without end and beginning, a key planted there would be. */
  readonly usableFrom: number
  readonly usableUntil: number
}

/** Returns the place of the key of the day of `at` (ms). Instances share it if their `kmsKeyId` is the same text. */
export function dataKeyPlace(kmsKeyId: string, at: number): DataKeyPlace {
  const day = isoDay(at)
  return boundPlace(`${placePrefix(kmsKeyId)}${day}`, day)
}

/** Returns what the names of all places begin with that belong to a KMS key. */
export function placePrefix(kmsKeyId: string): string {
  return `data-key/${sha256Hex(kmsKeyId).slice(0, 12)}/`
}

/** Returns the place that an id from a record names, which may be any text; undefined if there can be no such key. */
export function parseDataKeyId(id: string): DataKeyPlace | undefined {
  const [, name, day, digest] = ID.exec(id) ?? []
  if (name === undefined || day === undefined || Number.isNaN(Date.parse(day))) return undefined
  const place = boundPlace(name, day)
  if (digest !== undefined) return place
  return day <= LAST_UNBOUND_DAY ? { ...place, recordKey: name, boundTo: undefined } : undefined
}

/** Returns the id of a key: each key that a place ever had has another one. */
export function dataKeyId({ name, boundTo }: DataKeyPlace, secret: KeyObject): string {
  return boundTo === undefined ? name : `${name}/${keyDigest(secret)}`
}

/** Whether a key of this place can be of use at `now` (ms). */
export function isUsable({ usableFrom, usableUntil }: DataKeyPlace, now: number): boolean {
  return now >= usableFrom && now < usableUntil
}

function boundPlace(name: string, day: string): DataKeyPlace {
  const start = Date.parse(day)
  const recordKey = `${name}/bound`
  return {
    name,
    recordKey,
    boundTo: recordKey,
    usableFrom: start - MAX_CLOCK_DIFFERENCE_MS,
    usableUntil: start + USABLE_DAYS * DAY_MS,
  }
}
