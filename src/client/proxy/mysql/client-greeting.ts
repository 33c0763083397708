import { createHash } from 'node:crypto'
import { CAPABILITY, type Greeting } from '../../wire/mysql-packets.ts'

/** How the proxy lets clients log in with any password: every client has one of the two, those of MySQL 9 only the second. */
export const NATIVE = 'mysql_native_password'
export const CACHING_SHA2 = 'caching_sha2_password'

/** What is the proxy's own business, or would change the bytes that it copies. */
const NOT_OFFERED = CAPABILITY.tls | CAPABILITY.compress | CAPABILITY.zstd | CAPABILITY.severalFactors
/** Both parts of a scramble, and a zero. */
const SCRAMBLE_LENGTH = 21
/** Of the scramble's first part, after which comes a zero. */
const FIRST_PART = 8

/**
 * Returns the server's greeting as a client is to get it: the same version, thread, character set, status and reserved bytes, which
 * hold MariaDB's further capabilities; without TLS and compression, and with a scramble of the proxy's own.
 */
export function encodeClientGreeting({ payload, capabilities, scrambleAt }: Greeting): Buffer {
  const scramble = clientScramble(payload)
  const flagsAt = scrambleAt + FIRST_PART + 1
  const offered = Buffer.alloc(4)
  offered.writeUInt32LE((capabilities & ~NOT_OFFERED) >>> 0)
  return Buffer.concat([
    payload.subarray(0, scrambleAt),
    scramble.subarray(0, FIRST_PART),
    Buffer.from([0]),
    offered.subarray(0, 2),
    // character set and status
    payload.subarray(flagsAt + 2, flagsAt + 5),
    offered.subarray(2),
    Buffer.from([SCRAMBLE_LENGTH]),
    reservedBytes(payload, scrambleAt),
    scramble.subarray(FIRST_PART),
    Buffer.from(`${NATIVE}\0`),
  ])
}

/** Returns the scramble of a client's greeting, with its zero: unlike the server's own, and as hard to guess, without a zero in it. */
export function clientScramble(payload: Buffer): Buffer {
  const digest = createHash('sha256').update(payload).digest()
  const printable = digest.subarray(0, SCRAMBLE_LENGTH - 1).map(byte => 0x30 + (byte & 0x3f))
  return Buffer.concat([printable, Buffer.from([0])])
}

/** Returns the 10 bytes of a greeting whose last 4 are MariaDB's further capabilities. */
export function reservedBytes(payload: Buffer, scrambleAt: number): Buffer {
  const at = scrambleAt + FIRST_PART + 9
  return payload.subarray(at, at + 10)
}
