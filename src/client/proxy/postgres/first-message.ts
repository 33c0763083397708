import type { ByteChannel } from '../../wire/byte-channel.ts'
import { FIRST_MESSAGE, isProtocol3 } from '../../wire/postgres-messages.ts'
import { SessionError } from '../session-error.ts'
import { parseStartup, type Startup } from './startup.ts'

/** What a client wants: a session, or that the query of another be cancelled. */
export type FirstMessage =
  | { readonly kind: 'startup'; readonly startup: Startup }
  | { readonly kind: 'cancel'; readonly bytes: Buffer }

/** PostgreSQL's own limit, without the length itself. */
export const MAX_STARTUP_BYTES = 10_000
/** Length, code and process take 12; the key has 4 in protocol 3.0, and up to 256 in 3.2. */
const CANCEL_BYTES = { min: 16, max: 268 }
const NO = Buffer.from('N')

/**
 * Reads what a client wants, as PostgreSQL would, and answers `N` to its requests for encryption, each of which may come once.
 * Resolves with undefined if the length is none of PostgreSQL's: a server then closes without a word. Rejects with SessionError,
 * and with WireError if the connection ends.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 */
export async function readFirstMessage(client: ByteChannel): Promise<FirstMessage | undefined> {
  const encryptions = new Set<number>([FIRST_MESSAGE.sslRequest, FIRST_MESSAGE.gssencRequest])
  for (;;) {
    const head = await client.read(8)
    const length = head.readInt32BE()
    const code = head.readInt32BE(4)
    if (length < 8 || length > 4 + MAX_STARTUP_BYTES) return undefined
    if (code === FIRST_MESSAGE.cancelRequest) {
      if (length < CANCEL_BYTES.min || length > CANCEL_BYTES.max) return undefined
      return { kind: 'cancel', bytes: Buffer.concat([head, await client.read(length - 8)]) }
    }
    if (isProtocol3(code))
      return { kind: 'startup', startup: parseStartup(code, await client.read(length - 8)) }
    if (!encryptions.delete(code)) throw unsupportedVersion(code)
    if (length !== 8) return undefined
    client.write(NO)
  }
}

function unsupportedVersion(code: number): SessionError {
  const version = `${code >>> 16}.${code & 0xffff}`
  return new SessionError(`unsupported frontend protocol ${version}: only version 3 is spoken here`, {
    failure: 'unsupported',
  })
}
