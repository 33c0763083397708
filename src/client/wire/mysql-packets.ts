import type { ByteChannel } from './byte-channel.ts'
import { protocolError, refusedBy, type WireError } from './wire-error.ts'

/** https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html */
export const CAPABILITY = {
  connectWithDb: 0x8,
  protocol41: 0x200,
  tls: 0x800,
  secureConnection: 0x8000,
  pluginAuth: 0x8_0000,
  lengthEncodedAuth: 0x20_0000,
} as const

/** What a server says first: its capabilities, and how it would authenticate by default. */
export interface Greeting {
  capabilities: number
  plugin: string
}

/** A packet of a login, or of a row with one name, is much shorter. */
const MAX_PACKET_BYTES = 64 * 1024
export const ERROR = 0xff

/** Reads a packet, and the number that the answer to it counts on from. */
export async function readPacket(channel: ByteChannel): Promise<{ payload: Buffer; sequence: number }> {
  const head = await channel.read(4)
  const length = head.readUIntLE(0, 3)
  if (length === 0 || length > MAX_PACKET_BYTES)
    throw protocolError('the server sent what is no packet of MySQL')
  return { payload: await channel.read(length), sequence: head.readUInt8(3) }
}

/** Writes a packet of less than 16 MB. */
export function writePacket(channel: ByteChannel, payload: Buffer, sequence: number): void {
  const head = Buffer.alloc(4)
  head.writeUIntLE(payload.length, 0, 3)
  head.writeUInt8(sequence & 0xff, 3)
  channel.write(Buffer.concat([head, payload]))
}

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html */
export function parseGreeting(payload: Buffer): Greeting {
  const versionEnd = payload.indexOf(0, 1)
  // after the version: thread id (4), first part of the scramble (8), a zero
  const at = versionEnd + 1 + 4 + 8 + 1
  if (payload[0] !== 10 || versionEnd < 0 || payload.length < at + 18)
    throw protocolError('what answers there does not speak MySQL')
  const capabilities = payload.readUInt16LE(at) | (payload.readUInt16LE(at + 5) << 16)
  const scrambleLength = Math.max(13, (payload[at + 7] ?? 0) - 8)
  const [plugin = ''] = payload.toString('latin1', at + 18 + scrambleLength).split('\0')
  return { capabilities, plugin }
}

/** Returns what a refusal says: an error's number (2), `#`, a state (5), a text. Before the greeting it has no state. */
export function parseMysqlRefusal(payload: Buffer, token?: string): WireError {
  const code = payload.length >= 3 ? String(payload.readUInt16LE(1)) : 'no code'
  const text = payload.toString('utf8', payload[3] === 0x23 ? 9 : 3)
  return refusedBy({ code, text, reply: payload, token })
}

/** Returns bytes with their length before them. */
export function lengthEncoded(bytes: Buffer): Buffer {
  if (bytes.length < 0xfb) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const head = Buffer.from([0xfc, 0, 0])
  head.writeUInt16LE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** Returns the first value of a row of text; undefined if it is NULL, or longer than any name. */
export function firstColumn(row: Buffer): string | undefined {
  const [length = 0xfb] = row
  return length < 0xfb ? row.toString('utf8', 1, 1 + length) : undefined
}
