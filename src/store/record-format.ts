import { unreadableRecord } from './unreadable-record.ts'

/** A release that writes a record otherwise must count on here, and must keep `v` and `keepUntil` as they are. */
const VERSION = 1

/** A record as JSON, with what every release understands of it: its version, and until when (ms) it is of use. */
export function encodeRecord(record: {
  readonly keepUntil: number
  readonly [name: string]: unknown
}): Buffer {
  return Buffer.from(JSON.stringify({ v: VERSION, ...record }))
}

/**
 * The members of a record that `renderVersioned` made, as they come; undefined where it is nonsense, or a later release's
 * and of no use any more. Throws as `unreadable` does where a later release has written it and it is still of use.
 */
export function decodeRecord(
  bytes: Uint8Array,
  { key, now }: { key: string; now: number },
): Readonly<Record<string, unknown>> | undefined {
  const record = parsed(bytes)
  if (!record || record.v === VERSION) return record
  const keepUntil = Number(record.keepUntil)
  if (keepUntil > now) throw unreadableRecord({ key, why: 'a newer release wrote it', keepUntil })
  return undefined
}

function parsed(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const record: unknown = JSON.parse(Buffer.from(bytes).toString())
    return typeof record === 'object' && record !== null ? { ...record } : undefined
  } catch {
    return undefined
  }
}
