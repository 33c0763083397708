import type { ByteChannel } from './byte-channel.ts'
import { protocolError, refusedBy, type WireError } from './wire-error.ts'

/** What a client's first message begins with, after its length. https://www.postgresql.org/docs/current/protocol-message-formats.html */
export const FIRST_MESSAGE = {
  cancelRequest: 80_877_102,
  sslRequest: 80_877_103,
  gssencRequest: 80_877_104,
  protocol3: 196_608,
} as const

/** Whether what a client begins with is a startup message of any 3.x. */
export function isProtocol3(code: number): boolean {
  return code >>> 16 === FIRST_MESSAGE.protocol3 >>> 16
}

/** What a server asks for in a message of the type `R`. */
export const AUTHENTICATION = { ok: 0, clearText: 3 } as const

const METHODS: Readonly<Record<number, string>> = {
  2: 'Kerberos',
  5: 'an MD5 password',
  7: 'GSSAPI',
  9: 'SSPI',
  10: 'a SCRAM password',
}

/** A message of a login, or of a query of one name, is much shorter. */
const MAX_MESSAGE_BYTES = 64 * 1024

export interface PostgresMessage {
  type: string
  body: Buffer
}

/** Reads a message of a server that has answered the request for TLS. Rejects with WireError. */
export async function readMessage(channel: ByteChannel): Promise<PostgresMessage> {
  const type = (await channel.read(1)).toString('latin1')
  return { type, body: await readBody(channel) }
}

/** Reads what comes after the type of a message: its length, and its body. */
export async function readBody(channel: ByteChannel): Promise<Buffer> {
  const length = (await channel.read(4)).readInt32BE()
  if (length < 4 || length > MAX_MESSAGE_BYTES)
    throw protocolError('the server sent what is no message of PostgreSQL')
  return channel.read(length - 4)
}

/** Returns what the body of an `R` asks for; -1 if it is none. */
export function authenticationOf(body: Buffer): number {
  return body.length >= 4 ? body.readInt32BE() : -1
}

/** Returns what a server calls for in the body of an `R`, in words. */
export function nameAuthentication(method: number): string {
  return METHODS[method] ?? 'another authentication'
}

/** Returns what the body of an `E` says. https://www.postgresql.org/docs/current/protocol-error-fields.html */
export function parsePostgresRefusal(body: Buffer, token?: string): WireError {
  const fields = new Map(
    body
      .toString()
      .split('\0')
      .map(field => [field.slice(0, 1), field.slice(1)]),
  )
  const text = fields.get('M') ?? 'the server says no, without a reason'
  return refusedBy({ code: fields.get('C') ?? 'no code', text, reply: encodeMessage('E', body), token })
}

/** Returns a message with its type and length. */
export function encodeMessage(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), withLength(body)])
}

/** Returns bytes with their length before them, which counts itself: a client's first message has no type. */
export function withLength(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length + 4), body])
}

export function int32(number: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(number)
  return bytes
}
