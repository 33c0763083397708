import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { sha256Hex } from '../../lib/hash.ts'
import { orderOf, parsed, timeOf } from '../parsed-record.ts'
import { type AuditRecord, renderRecord } from '../record.ts'

/** The index that finds the records of one principal: `principal` and `sk`, and no more than the keys in it. */
export const BY_PRINCIPAL = 'byPrincipal'
/** One partition takes 1,000 writes a second; a day's records are spread over so many. */
const SHARDS = '0123456789abcdef'
const DAY_MS = 86_400_000
/** What DynamoDB allows for the key of a partition, in bytes. */
const LONGEST_KEY_BYTES = 2048
const LONGEST_ID = 256

export type AuditItem = Record<string, AttributeValue>

export interface ItemOptions {
  /** Stands in for the time that a line lacks, in milliseconds. */
  readonly seenAt: number
  /** After so many days DynamoDB deletes the record; absent keeps it for ever. */
  readonly retentionDays?: number | undefined
}

/**
 * A record's line as an item of the audit table. Its key is made of the record's own time and id, so that the same line
 * always gives the same item: `pk` is the UTC day and one hex digit of the id's hash, `sk` the time and the id. A line
 * that is no record, which none should be, is kept under its hash rather than lost or allowed to hold up the others.
 */
export function auditItem(line: string, { seenAt, retentionDays }: ItemOptions): AuditItem {
  const record = parsed(line) ?? {}
  const at = timeOf(record) ?? seenAt
  const id =
    typeof record.id === 'string' && record.id.length <= LONGEST_ID ? wellFormed(record.id) : sha256Hex(line)
  const principal = principalOf(record.principal)
  return {
    pk: { S: `${dayOf(at)}#${sha256Hex(id).slice(0, 1)}` },
    sk: { S: orderOf(at, id) },
    v: { N: '1' },
    record: { S: line },
    ...(principal !== undefined && { principal: { S: principalKey(principal) } }),
    ...(retentionDays !== undefined && { ttl: { N: `${Math.ceil((at + retentionDays * DAY_MS) / 1000)}` } }),
  }
}

/** Every partition that may hold records of the UTC day of `at`. */
export function partitionsOf(at: number): string[] {
  return [...SHARDS].map(shard => `${dayOf(at)}#${shard}`)
}

export interface PrincipalName {
  readonly issuer: string
  readonly subject: string
}

/** The key of a principal in the index: `ISSUER/SUBJECT`, or its hash where that is longer than a key may be. */
export function principalKey({ issuer, subject }: PrincipalName): string {
  const key = wellFormed(`${issuer}/${subject}`)
  return Buffer.byteLength(key) <= LONGEST_KEY_BYTES ? key : sha256Hex(key)
}

/** A principal as records name it: they cut long subjects. */
export function asRecorded(principal: PrincipalName): PrincipalName {
  const line = renderRecord({ id: '', time: '', decision: 'refused', principal })
  return (JSON.parse(line) as AuditRecord).principal ?? principal
}

function principalOf(value: unknown): PrincipalName | undefined {
  const { issuer, subject } = (value ?? {}) as Partial<PrincipalName>
  return typeof issuer === 'string' && typeof subject === 'string' ? { issuer, subject } : undefined
}

/** Without halves of surrogate pairs, as a cut can leave them: DynamoDB's strings are UTF-8, which has none. */
const wellFormed = (text: string) => Buffer.from(text).toString()

const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10)
