import type { ByteChannel } from './byte-channel.ts'
import {
  CAPABILITY,
  ERROR,
  type Greeting,
  parseGreeting,
  parseMysqlRefusal,
  readPacket,
  writePacket,
} from './mysql-packets.ts'
import { protocolError, WireError } from './wire-error.ts'

/** What a login with a long password in clear text takes, which TLS alone makes safe. */
export const TLS_LOGIN =
  CAPABILITY.protocol41 |
  CAPABILITY.tls |
  CAPABILITY.secureConnection |
  CAPABILITY.pluginAuth |
  CAPABILITY.lengthEncodedAuth

const UTF8MB4 = 45
const MAX_PACKET_SIZE = 16 * 1024 * 1024
/** Of a request for TLS; the greeting was 0. */
const TLS_REQUEST = 1

/** Resolves with what a server says first. Rejects with WireError if it refuses, or a token cannot be sent to it. */
export async function readGreeting(channel: ByteChannel): Promise<Greeting> {
  const { payload } = await readPacket(channel)
  if (payload[0] === ERROR) throw parseMysqlRefusal(payload)
  const greeting = parseGreeting(payload)
  if (!(greeting.capabilities & CAPABILITY.tls))
    throw new WireError('the server speaks MySQL, and has no TLS', { failure: 'no_tls' })
  if (!(greeting.capabilities & CAPABILITY.pluginAuth))
    throw protocolError('the server is too old to be asked for a password in clear text')
  return greeting
}

/**
 * Asks a server that has greeted for TLS, with the 32 bytes that the response will begin with. The TLS handshake is next, and the
 * channel is released. Throws WireError if the server has sent more than its greeting.
 */
export function requestMysqlTls(channel: ByteChannel, head: Buffer): void {
  // what came before TLS could have been put there by somebody on the way
  if (channel.release().length > 0) throw protocolError('the server sent more than its greeting before TLS')
  writePacket(channel, head, TLS_REQUEST)
}

/** Returns what a request for TLS is, and a response begins with: flags, packet size, character set, 23 zeros. */
export function responseHead(flags: number): Buffer {
  const head = Buffer.alloc(32)
  head.writeUInt32LE(flags, 0)
  head.writeUInt32LE(MAX_PACKET_SIZE, 4)
  head.writeUInt8(UTF8MB4, 8)
  return head
}
