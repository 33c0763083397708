import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { sha256Hex } from '../../lib/hash.ts'
import { DAY_MS, isoDay } from '../../lib/iso-time.ts'
import { parseJsonObject } from '../../lib/json.ts'
import { sortKeyOf, timeOf } from '../parsed-record.ts'
import type { PrincipalName } from '../query.ts'

/** The index that finds the records of one principal: by `principal` and `sk`. It holds only keys. */
export const BY_PRINCIPAL = 'byPrincipal'
/** One partition takes 1,000 writes a second; a day's records are spread over this many. */
const SHARDS = '0123456789abcdef'
/** DynamoDB's limit for a partition key. */
const MAX_KEY_BYTES = 2048
const MAX_ID_LENGTH = 256

export type AuditItem = Record<string, AttributeValue>

export interface ItemOptions {
  /** The time of a line that has none, in milliseconds. */
  readonly fallbackTimeMs: number
  /** DynamoDB deletes the record after this many days. Default: never. */
  readonly retentionDays?: number | undefined
  /** Whether another record has this one's key: then the line is kept under its hash. Default: false. */
  readonly isKeyTaken?: boolean
}

/**
 * Returns a record's line as an item of the audit table. Its key is made of the record's own time and id, so that the
 * same line always makes the same item: `pk` is the UTC day and one hex digit of the id's hash, `sk` the time and the id.
 * A line that is not a record is kept under its hash: it must neither be lost nor delay others.
 */
export function auditItem(
  line: string,
  { fallbackTimeMs, retentionDays, isKeyTaken = false }: ItemOptions,
): AuditItem {
  const record = parseJsonObject(line) ?? {}
  const timeMs = timeOf(record) ?? fallbackTimeMs
  const id =
    typeof record.id === 'string' && record.id.length <= MAX_ID_LENGTH && !isKeyTaken
      ? toWellFormed(record.id)
      : sha256Hex(line)
  const principal = principalOf(record.principal)
  return {
    pk: { S: `${isoDay(timeMs)}#${sha256Hex(id).slice(0, 1)}` },
    sk: { S: sortKeyOf(timeMs, id) },
    v: { N: '1' },
    record: { S: line },
    ...(principal !== undefined && { principal: { S: principalKey(principal) } }),
    ...(retentionDays !== undefined && {
      ttl: { N: `${Math.ceil((timeMs + retentionDays * DAY_MS) / 1000)}` },
    }),
  }
}

/** Returns every partition that may hold records of the UTC day of `timeMs`. */
export function partitionsOf(timeMs: number): string[] {
  return [...SHARDS].map(shard => `${isoDay(timeMs)}#${shard}`)
}

/** Returns the key of a principal in the index: `ISSUER/SUBJECT`, or its hash if that is longer than a key may be. */
export function principalKey({ issuer, subject }: PrincipalName): string {
  const key = toWellFormed(`${issuer}/${subject}`)
  return Buffer.byteLength(key) <= MAX_KEY_BYTES ? key : sha256Hex(key)
}

function principalOf(value: unknown): PrincipalName | undefined {
  const { issuer, subject } = (value ?? {}) as Partial<PrincipalName>
  return typeof issuer === 'string' && typeof subject === 'string' ? { issuer, subject } : undefined
}

/** Replaces halves of surrogate pairs, as a cut can leave them: DynamoDB's strings are UTF-8, which cannot hold them. */
const toWellFormed = (text: string) => Buffer.from(text).toString()
