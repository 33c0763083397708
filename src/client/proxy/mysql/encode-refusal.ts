import { ERROR, encodePacket } from '../../wire/mysql-packets.ts'
import type { SessionError, SessionFailure } from '../session-error.ts'

/**
 * What clients make of a failure, by MySQL's own numbers and SQLSTATEs. 1045 is the one that nobody tries again; of class 08 are
 * those that pools take for a connection to be opened later. None is of the 2000s, which are the clients' own.
 * https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 */
const NUMBERS: Readonly<Record<SessionFailure, readonly [number, string]>> = {
  // ER_ACCESS_DENIED_ERROR
  refused: [1045, '28000'],
  // ER_CON_COUNT_ERROR: the server takes no connection now; an RDS proxy throttles with it, too
  unavailable: [1040, '08004'],
  too_many: [1040, '08004'],
  // ER_HANDSHAKE_ERROR
  unsupported: [1043, '08S01'],
  // ER_NET_READ_INTERRUPTED
  timeout: [1159, '08S01'],
  // ER_SERVER_SHUTDOWN
  ending: [1053, '08S01'],
  // ER_UNKNOWN_ERROR, for one whose message cannot be passed on
  database: [1105, 'HY000'],
}

/** Where the SQLSTATE begins, if there is one. */
const STATE_AT = 3
const HASH = 0x23

/** Returns the packet of an error: the server's own, if there is one, or the proxy's. */
export function encodeRefusal({ failure, message, reply }: SessionError, sequence: number): Buffer {
  return encodePacket(reply ? withState(reply) : proxyRefusal(failure, message), sequence)
}

function proxyRefusal(failure: SessionFailure, message: string): Buffer {
  const [number, state] = NUMBERS[failure]
  const head = Buffer.from([ERROR, 0, 0])
  head.writeUInt16LE(number, 1)
  return Buffer.concat([head, Buffer.from(`#${state}${message}`)])
}

/** Before a client has said what it speaks, MariaDB sends no SQLSTATE; clients of 4.1 and later read one there, and some must. */
function withState(reply: Buffer): Buffer {
  if (reply[STATE_AT] === HASH) return reply
  return Buffer.concat([reply.subarray(0, STATE_AT), Buffer.from('#HY000'), reply.subarray(STATE_AT)])
}
