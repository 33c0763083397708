import { sha256Hex } from '../../lib/hash.ts'

/** What the first record of all continues. */
export const GENESIS = '0'.repeat(64)
/** A longer line is no record of ours; readers refuse it rather than hold it in memory. */
export const LONGEST_LINE_BYTES = 1024 * 1024
/** Records of this type name what was torn before them: see `renderRecovered`. */
export const RECOVERED = 'jeton.audit.recovered'

/** One sealed line, as it was found. */
export interface ChainLink {
  readonly prev: string
  readonly hash: string
  /** Whether `hash` is the hash of the line's own text. */
  readonly intact: boolean
}

const SEAL = /^,"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}$/
const SEAL_BYTES = `,"prev":"${GENESIS}","hash":"${GENESIS}"}`.length
const HASH_BYTES = `,"hash":"${GENESIS}"}`.length

/**
 * Appends `prev` (the hash of the record before, 64 zeros for the first) and then `hash` to a record's line.
 * `hash` is the lower-case hex SHA-256 of the line's UTF-8 text without its `,"hash":"…"` member. So anyone can check
 * a log without jeton; each line must print `true`:
 *
 *     python3 -c '
 *     import hashlib, sys
 *     prev = "0" * 64
 *     for line in sys.stdin.buffer.read().splitlines():
 *         text, hash = line[:-75] + b"}", line[-66:-2].decode()
 *         print(hashlib.sha256(text).hexdigest() == hash and text.endswith(b",\"prev\":\"%s\"}" % prev.encode()))
 *         prev = hash' < audit.jsonl
 *
 * The chain is no signature: who can write the file can make a whole new one. Against that, and against a tail cut off,
 * keep a hash elsewhere.
 */
export function append(line: string, prev: string): { line: string; hash: string } {
  const open = `${line.slice(0, -1)},"prev":"${prev}"`
  const hash = sha256Hex(`${open}}`)
  return { line: `${open},"hash":"${hash}"}`, hash }
}

/** Reads the seal of one line (without its newline); undefined where the line has none. Does not parse the record. */
export function readLink(line: Buffer): ChainLink | undefined {
  if (line.length <= SEAL_BYTES || line[0] !== 0x7b) return undefined
  const [, prev, hash] = SEAL.exec(line.toString('latin1', line.length - SEAL_BYTES)) ?? []
  if (!prev || !hash) return undefined
  const text = Buffer.concat([line.subarray(0, line.length - HASH_BYTES), Buffer.from('}')])
  return { prev, hash, intact: sha256Hex(text) === hash }
}

/** What stands torn between two records: all bytes after the one's newline and before the newline ahead of the other. */
export interface TornPiece {
  readonly bytes: number
  readonly sha256: string
}

/** The record that follows a torn piece and names it, so that it is neither hidden nor taken for tampering. */
export function renderRecovered(torn: TornPiece, time: string): string {
  return JSON.stringify({ type: RECOVERED, v: 1, time, bytes: torn.bytes, sha256: torn.sha256 })
}

/** Whether a sealed line is a record that names exactly this torn piece. */
export function acknowledges(line: Buffer, torn: TornPiece): boolean {
  try {
    const record = JSON.parse(line.toString())
    return record.type === RECOVERED && record.bytes === torn.bytes && record.sha256 === torn.sha256
  } catch {
    return false
  }
}
