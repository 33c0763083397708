import { sha256Hex } from '../../lib/hash.ts'
import { parseJsonObject } from '../../lib/json.ts'

/** The hash that the first record of all continues. */
export const GENESIS = '0'.repeat(64)
/** No record of jeton is longer; readers refuse a longer line rather than hold it in memory. */
export const MAX_LINE_BYTES = 1024 * 1024
/** The type of records that acknowledge a torn piece before them: see `renderRecovered`. */
export const RECOVERED_TYPE = 'jeton.audit.recovered'

/** What one chained line says of its place in the chain. */
export interface ChainLink {
  readonly prev: string
  readonly hash: string
  /** Whether `hash` is the hash of the line's own text. */
  readonly isIntact: boolean
}

const LINK = /^,"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}$/
const LINK_BYTES = `,"prev":"${GENESIS}","hash":"${GENESIS}"}`.length
const HASH_BYTES = `,"hash":"${GENESIS}"}`.length

/**
 * Appends `prev` (the hash of the record before, 64 zeros for the first) and then `hash` to a record's line.
 * `hash` is the lower-case hex SHA-256 of the line's UTF-8 text without its `,"hash":"…"` member. So anyone can check
 * a log without jeton; each line must print `True`:
 *
 *     python3 -c '
 *     import hashlib, sys
 *     prev = "0" * 64
 *     for line in sys.stdin.buffer.read().splitlines():
 *         text, hash = line[:-75] + b"}", line[-66:-2].decode()
 *         print(hashlib.sha256(text).hexdigest() == hash and text.endswith(b",\"prev\":\"%s\"}" % prev.encode()))
 *         prev = hash' < audit.jsonl
 *
 * The chain is not a signature: anyone who can write the file can make a whole new one. Against that, and against a
 * tail that is cut off, keep a hash elsewhere.
 */
export function append(line: string, prev: string): { line: string; hash: string } {
  const linked = `${line.slice(0, -1)},"prev":"${prev}"`
  const hash = sha256Hex(`${linked}}`)
  return { line: `${linked},"hash":"${hash}"}`, hash }
}

/** Reads the link of one line (without its newline); undefined if the line has none. Does not parse the record. */
export function readLink(line: Buffer): ChainLink | undefined {
  if (line.length <= LINK_BYTES || line[0] !== 0x7b) return undefined
  const [, prev, hash] = LINK.exec(line.toString('latin1', line.length - LINK_BYTES)) ?? []
  if (!prev || !hash) return undefined
  const text = Buffer.concat([line.subarray(0, line.length - HASH_BYTES), Buffer.from('}')])
  return { prev, hash, isIntact: sha256Hex(text) === hash }
}

/** Whether some record in `bytes`, any part of an audit file, has this hash. Text of a record cannot look like it. */
export function holdsHash(bytes: Buffer, hash: string): boolean {
  return bytes.includes(`"hash":"${hash}"}`)
}

/** Whether some record in `bytes`, any part of an audit file, continues the one that has this hash. */
export function holdsNext(bytes: Buffer, hash: string): boolean {
  return bytes.includes(`,"prev":"${hash}","hash":"`)
}

/** Text between two records that is not a record, without the newline after it. */
export interface TornPiece {
  readonly bytes: number
  readonly sha256: string
}

/** Returns the record to write after a torn piece: it acknowledges the piece, so that it does not count as tampering. */
export function renderRecovered(torn: TornPiece, time: string): string {
  return JSON.stringify({ type: RECOVERED_TYPE, v: 1, time, bytes: torn.bytes, sha256: torn.sha256 })
}

/** Whether a chained line is a record that acknowledges exactly this torn piece. */
export function acknowledges(line: Buffer, torn: TornPiece): boolean {
  const record = parseJsonObject(line.toString())
  return record?.type === RECOVERED_TYPE && record.bytes === torn.bytes && record.sha256 === torn.sha256
}
