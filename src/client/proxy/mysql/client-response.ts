import { createFieldReader } from '../../wire/mysql-fields.ts'
import { CAPABILITY } from '../../wire/mysql-packets.ts'
import { SessionError } from '../session-error.ts'

/** What a client answers to a greeting. Whom it calls itself and its password are of no use to the proxy. */
export interface ClientResponse {
  /** As it chose them: flags (4), largest packet (4), character set (1), 23 reserved bytes. */
  readonly head: Buffer
  /** Undefined if it named none. */
  readonly database: Buffer | undefined
  /** How it authenticates; empty if it does not say. */
  readonly plugin: string
  /** What it says of itself, as names and values with their lengths; undefined if it says nothing. */
  readonly attributes: Buffer | undefined
}

const HEAD_LENGTH = 32

/**
 * Returns what a client answered. Throws SessionError for what the proxy does not do, WireError for what is no response.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html
 */
export function parseClientResponse(payload: Buffer): ClientResponse {
  const fields = createFieldReader(payload)
  if (!(payload.length >= 2 && payload.readUInt16LE(0) & CAPABILITY.protocol41))
    throw unsupported('the client speaks the protocol of MySQL before 4.1: take a newer one')
  const head = fields.take(HEAD_LENGTH)
  const flags = head.readUInt32LE(0)
  if (fields.isAtEnd() && flags & CAPABILITY.tls)
    throw unsupported(
      'the client asks for TLS, which the proxy itself speaks with the database: switch TLS off in the client',
    )
  // the user
  fields.untilZero()
  // the password
  if (flags & CAPABILITY.lengthEncodedAuth) fields.lengthEncoded()
  else if (flags & CAPABILITY.secureConnection) fields.take(fields.take(1)[0] ?? 0)
  else fields.untilZero()
  const database = flags & CAPABILITY.connectWithDb ? fields.untilZero() : Buffer.alloc(0)
  const plugin = flags & CAPABILITY.pluginAuth ? fields.untilZero().toString('latin1') : ''
  const hasAttributes = flags & CAPABILITY.connectAttributes && !fields.isAtEnd()
  return {
    head,
    database: database.length > 0 ? database : undefined,
    plugin,
    attributes: hasAttributes ? fields.lengthEncoded() : undefined,
  }
}

const unsupported = (message: string) => new SessionError(message, { failure: 'unsupported' })
