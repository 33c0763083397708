import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  encodeMessage,
  FIRST_MESSAGE,
  int32,
  withLength,
} from '../../../src/client/wire/postgres-messages.ts'
import type { LocalEndpoint } from './proxy-process.ts'

/** A message of a server: its type, and what follows its length. */
export interface ServerMessage {
  readonly type: string
  readonly body: Buffer
}

/** A client of PostgreSQL that sends the very bytes that a test gives it. */
export interface RawClient {
  readonly socket: Socket
  send(...bytes: Buffer[]): void
  /** Sends bytes one by one, each in a packet of its own as far as the machine lets it. */
  sendByteByByte(bytes: Buffer): Promise<void>
  /** Resolves with bytes once they are there. Rejects if the connection ends before that. */
  take(length: number): Promise<Buffer>
  takeMessage(): Promise<ServerMessage>
  /** Takes messages until one of this type, which is the last of those returned. */
  takeUntil(type: string): Promise<ServerMessage[]>
  /** Resolves with all that still comes, once the other side has ended the connection. */
  takeRest(): Promise<Buffer>
}

/** Connects to where a proxy listens, by another address of this machine if one is given. */
export async function connectRaw(
  { socket: path, port }: LocalEndpoint,
  address = '127.0.0.1',
): Promise<RawClient> {
  const socket = path === undefined ? connect(port ?? 0, address) : connect(path)
  await once(socket, 'connect')
  socket.setNoDelay(true)
  let unread = Buffer.alloc(0)
  let isOver = false
  let wake = () => {}
  socket.on('data', chunk => {
    unread = Buffer.concat([unread, chunk])
    wake()
  })
  const end = () => {
    isOver = true
    wake()
  }
  socket.on('end', end).on('close', end).on('error', end)
  const until = async (isThere: () => boolean) => {
    while (!isThere()) {
      if (isOver) throw new Error(`the connection ended after ${JSON.stringify(unread.toString('latin1'))}`)
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  const take = async (length: number) => {
    await until(() => unread.length >= length)
    const bytes = unread.subarray(0, length)
    unread = unread.subarray(length)
    return bytes
  }
  const takeMessage = async () => {
    const head = await take(5)
    return { type: String.fromCharCode(head[0] ?? 0), body: await take(head.readInt32BE(1) - 4) }
  }
  return {
    socket,
    send: (...bytes) => void socket.write(Buffer.concat(bytes)),
    async sendByteByByte(bytes) {
      for (const byte of bytes) {
        await new Promise(resolve => socket.write(Buffer.from([byte]), resolve))
        await new Promise(setImmediate)
      }
    },
    take,
    takeMessage,
    async takeUntil(type) {
      const messages: ServerMessage[] = []
      do messages.push(await takeMessage())
      while (messages.at(-1)?.type !== type)
      return messages
    },
    async takeRest() {
      await until(() => isOver)
      const bytes = unread
      unread = Buffer.alloc(0)
      return bytes
    },
  }
}

export const SSL_REQUEST = withLength(int32(FIRST_MESSAGE.sslRequest))
export const GSS_REQUEST = withLength(int32(FIRST_MESSAGE.gssencRequest))

/** Returns a client's first message with parameters, in version 3.0 unless given. */
export function startupOf(
  parameters: Readonly<Record<string, string>> = { user: 'anybody' },
  version: number = FIRST_MESSAGE.protocol3,
): Buffer {
  const texts = Object.entries(parameters).flat()
  return withLength(int32(version), Buffer.from(`${[...texts, ''].join('\0')}\0`))
}

/** Returns a request to cancel what the session with this `K` does. */
export const cancelRequestOf = (keyData: Buffer) => withLength(int32(FIRST_MESSAGE.cancelRequest), keyData)

export const queryOf = (sql: string) => encodeMessage('Q', Buffer.from(`${sql}\0`))
export const GOODBYE = encodeMessage('X', Buffer.alloc(0))

/** Returns the fields of an `E` or `N` by their letters. */
export function fieldsOf({ body }: ServerMessage): Record<string, string> {
  const fields = body
    .toString()
    .split('\0')
    .filter(text => text !== '')
  return Object.fromEntries(fields.map(text => [text.slice(0, 1), text.slice(1)]))
}

/** Returns the values of the first column of all rows. */
export function valuesOf(messages: readonly ServerMessage[]): string[] {
  return messages
    .filter(({ type }) => type === 'D')
    .map(({ body }) => body.toString('utf8', 6, 6 + body.readInt32BE(2)))
}
