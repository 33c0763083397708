import type { ByteChannel } from './byte-channel.ts'
import { protocolError, refusedBy, type WireError } from './wire-error.ts'

/** https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html */
export const CAPABILITY = {
  /** Unset by MariaDB and its clients, whose flags beyond 32 bits are in the reserved bytes. */
  mysql: 0x1,
  connectWithDb: 0x8,
  compress: 0x20,
  protocol41: 0x200,
  tls: 0x800,
  secureConnection: 0x8000,
  pluginAuth: 0x8_0000,
  connectAttributes: 0x10_0000,
  lengthEncodedAuth: 0x20_0000,
  zstd: 0x400_0000,
  severalFactors: 0x1000_0000,
} as const

/** What a server says first: its capabilities, and how it would authenticate by default. */
export interface Greeting {
  capabilities: number
  plugin: string
  /** As it came. */
  payload: Buffer
  /** Where in the payload the scramble begins, after a version and the id of the thread. */
  scrambleAt: number
}

/** A packet of a login, or of a row with one name, is much shorter. */
const MAX_PACKET_BYTES = 64 * 1024
export const OK = 0x00
export const ERROR = 0xff
/** Asks for another way to authenticate than the one in use. */
export const SWITCH = 0xfe
export const COM_QUIT = 0x01
export const CLEAR_TEXT = 'mysql_clear_password'
/** What a server of before 4.1 asks for, by a packet that names nothing. */
const UNNAMED = 'mysql_old_password'

export interface Packet {
  payload: Buffer
  /** The number that the answer to it counts on from. */
  sequence: number
}

/** Reads a packet of a login. Rejects with WireError. */
export async function readPacket(
  channel: ByteChannel,
  { peer = 'server' }: { peer?: 'server' | 'client' } = {},
): Promise<Packet> {
  const head = await channel.read(4)
  const length = head.readUIntLE(0, 3)
  // a client without a password answers with nothing
  if ((length === 0 && peer === 'server') || length > MAX_PACKET_BYTES)
    throw protocolError(`the ${peer} sent what is no packet of MySQL`)
  return { payload: await channel.read(length), sequence: head.readUInt8(3) }
}

/** Writes a packet of less than 16 MB. */
export function writePacket(channel: ByteChannel, payload: Buffer, sequence: number): void {
  channel.write(encodePacket(payload, sequence))
}

/** Returns a packet of less than 16 MB; `sequence` may be over 255. */
export function encodePacket(payload: Buffer, sequence: number): Buffer {
  const head = Buffer.alloc(4)
  head.writeUIntLE(payload.length, 0, 3)
  head.writeUInt8(sequence & 0xff, 3)
  return Buffer.concat([head, payload])
}

/** Returns the plugin that a packet of the kind `SWITCH` names. */
export function switchedPlugin(payload: Buffer): string {
  return payload.toString('latin1', 1).split('\0')[0] || UNNAMED
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
  return { capabilities, plugin, payload, scrambleAt: versionEnd + 5 }
}

/** Returns what a refusal says: an error's number (2), `#`, a state (5), a text. Before the greeting it has no state. */
export function parseMysqlRefusal(payload: Buffer, token?: string): WireError {
  const code = payload.length >= 3 ? String(payload.readUInt16LE(1)) : 'no code'
  const text = payload.toString('utf8', payload[3] === 0x23 ? 9 : 3)
  return refusedBy({ code, text, reply: payload, token })
}

/** Returns bytes, less than 16 MB, with their length before them. */
export function lengthEncoded(bytes: Buffer): Buffer {
  if (bytes.length < 0xfb) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const [mark, size] = bytes.length < 0x1_0000 ? [0xfc, 2] : [0xfd, 3]
  const head = Buffer.alloc(1 + size, mark)
  head.writeUIntLE(bytes.length, 1, size)
  return Buffer.concat([head, bytes])
}

/** Returns the first value of a row of text; undefined if it is NULL, or longer than any name. */
export function firstColumn(row: Buffer): string | undefined {
  const [length = 0xfb] = row
  return length < 0xfb ? row.toString('utf8', 1, 1 + length) : undefined
}
