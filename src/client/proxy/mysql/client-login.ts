import type { ByteChannel } from '../../wire/byte-channel.ts'
import { readPacket, SWITCH, writePacket } from '../../wire/mysql-packets.ts'
import { WireError } from '../../wire/wire-error.ts'
import { SessionError } from '../session-error.ts'
import { CACHING_SHA2, NATIVE } from './client-greeting.ts'
import { type ClientResponse, parseClientResponse } from './client-response.ts'

const AUTH_MORE_DATA = 0x01
const FAST_AUTH_SUCCESS = 0x03
const SHA2_LENGTH = 32

interface ClientLoginOptions {
  /** That of the client's greeting, with its zero. */
  scramble: Buffer
  /** Told the number of the packet that the client expects next. */
  onExpect(sequence: number): void
}

/**
 * Reads how a client answers to its greeting, and accepts any password, or none. Returns undefined if the client goes. Rejects with
 * SessionError.
 */
export async function logClientIn(
  channel: ByteChannel,
  { scramble, onExpect }: ClientLoginOptions,
): Promise<ClientResponse | undefined> {
  let next = 0
  function expect(sequence: number): void {
    next = sequence
    onExpect(next)
  }
  async function hear(): Promise<Buffer> {
    const { payload, sequence } = await readPacket(channel, { peer: 'client' })
    expect(sequence + 1)
    return payload
  }
  function say(payload: Buffer): void {
    writePacket(channel, payload, next)
    expect(next + 1)
  }
  try {
    const response = parseClientResponse(await hear())
    const { plugin } = response
    if (plugin === '' || plugin === NATIVE) return response
    // one that prefers another plugin has not answered the greeting's scramble, and expects to be asked again, as servers do
    const wanted = plugin === CACHING_SHA2 ? CACHING_SHA2 : NATIVE
    say(Buffer.concat([Buffer.from([SWITCH]), Buffer.from(`${wanted}\0`), scramble]))
    const { length } = await hear()
    if (wanted === CACHING_SHA2 && length === SHA2_LENGTH)
      say(Buffer.from([AUTH_MORE_DATA, FAST_AUTH_SUCCESS]))
    return response
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause
    if (cause.failure === 'connection') return undefined
    throw new SessionError('the client does not speak MySQL as a client does at its login', {
      failure: 'unsupported',
      cause,
    })
  }
}
