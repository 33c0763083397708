import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPostgresProxy } from '../../../../src/client/proxy/postgres/postgres-proxy.ts'
import { SessionError } from '../../../../src/client/proxy/session-error.ts'
import { int32 } from '../../../../src/client/wire/postgres-messages.ts'
import { WireError } from '../../../../src/client/wire/wire-error.ts'
import {
  CANCEL_KEY,
  cancelRequest,
  GSSENC_REQUEST,
  LONG_CANCEL_KEY,
  PASSWORD,
  SERVER,
  SSL_REQUEST,
  STARTUP,
  startupMessage,
  TOKEN,
} from './messages.ts'
import { createConnection, createFakeClient, createFakeServer, neverAborted, settle } from './support.ts'

const noise = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes))
/** A length that lies about what comes after it. */
const lies = fc
  .tuple(
    fc.constantFrom('', 'R', 'N', 'E', 'K', 'Z', 'v', '\xff'),
    fc.integer({ min: -9, max: 2 ** 31 - 1 }),
    noise,
  )
  .map(([type, length, rest]) => Buffer.concat([Buffer.from(type, 'latin1'), int32(length | 0), rest]))
const cut = (whole: fc.Arbitrary<Buffer>) =>
  fc.tuple(whole, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % (bytes.length + 1)))

const clientMessage = fc.constantFrom(
  SSL_REQUEST,
  GSSENC_REQUEST,
  STARTUP,
  startupMessage(['user', 'x', 'replication', 'on']),
  startupMessage(['a'], (3 << 16) | 2),
  cancelRequest(CANCEL_KEY),
  cancelRequest(LONG_CANCEL_KEY),
)
const serverMessage = fc.constantFrom(...Object.values(SERVER))
const bytesOf = (message: fc.Arbitrary<Buffer>) =>
  fc
    .array(fc.oneof({ arbitrary: message, weight: 8 }, noise, lies, cut(message)), { maxLength: 9 })
    .map(list => Buffer.concat(list))

const conversations = fc.record({
  // most of them get as far as the server
  fromClient: fc
    .tuple(fc.boolean(), bytesOf(clientMessage))
    .map(([isSound, bytes]) => (isSound ? Buffer.concat([SSL_REQUEST, STARTUP, bytes]) : bytes)),
  tls: fc.oneof({ arbitrary: fc.constant(Buffer.from('S')), weight: 9 }, noise, fc.constant(SERVER.refusal)),
  fromServer: fc
    .tuple(fc.boolean(), bytesOf(serverMessage))
    .map(([isSound, bytes]) => (isSound ? Buffer.concat([SERVER.clearText, SERVER.ok, bytes]) : bytes)),
})
type Conversation = typeof conversations extends fc.Arbitrary<infer T> ? T : never

/** All that can be seen of a conversation in which both sides send pieces of this size and then end. */
async function talk({ fromClient, tls, fromServer }: Conversation, size?: number) {
  const server = createFakeServer({ tls })
  const client = createFakeClient()
  const secure = createConnection()
  const { parts } = server
  const proxy = createPostgresProxy({
    ...parts,
    async secure(dialed, token) {
      const channel = await parts.secure(dialed, token)
      const connection = server.secure.at(-1) ?? secure
      connection.send(fromServer, size)
      connection.end()
      return channel
    },
  })
  const session = proxy.accept(client.channel)
  const opened = session.open(neverAborted())
  client.send(fromClient, size)
  client.end()
  const outcome = await opened.then(
    link => ({ toClient: link?.toClient, left: link?.server.release() }),
    cause => ({ cause }),
  )
  await settle()
  const error = 'cause' in outcome ? toSessionError(outcome.cause) : undefined
  return {
    outcome,
    shown: error && session.encodeError(error),
    toClient: client.written(),
    unread: client.channel.release(),
    plain: Buffer.concat(server.plain.map(({ written }) => written())),
    secure: Buffer.concat(server.secure.map(({ written }) => written())),
  }
}

/** As the proxy does with what the protocol rejects with; anything else fails the test. */
function toSessionError(cause: unknown): SessionError {
  if (cause instanceof SessionError) return cause
  if (!(cause instanceof WireError)) throw cause
  return new SessionError(cause.message, { failure: 'database', reply: cause.reply, cause })
}

function countOf(part: Buffer, whole: Buffer): number {
  let count = 0
  for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + 1)) count++
  return count
}

test('whatever both sides send: it ends, in an error of its kinds, and the token goes where it was asked for', async () => {
  await fc.assert(
    fc.asyncProperty(conversations, async conversation => {
      const { outcome, shown, toClient, plain, secure, unread } = await talk(conversation)
      const token = Buffer.from(TOKEN)
      expect(countOf(token, secure)).toBeLessThanOrEqual(1)
      if (countOf(token, secure) === 1) {
        expect(secure.subarray(-PASSWORD.length)).toEqual(PASSWORD)
        expect(conversation.fromServer.includes(SERVER.clearText)).toBe(true)
        expect(conversation.tls).toEqual(Buffer.from('S'))
      }
      expect(plain.length === 0 || plain.equals(SSL_REQUEST)).toBe(true)
      expect(toClient.toString()).toMatch(/^N{0,2}$/)
      for (const bytes of [shown, 'toClient' in outcome ? outcome.toClient : undefined])
        expect(bytes?.includes(token) ?? false).toBe(false)
      // what nobody has asked for is where it was
      expect(conversation.fromClient.subarray(conversation.fromClient.length - unread.length)).toEqual(unread)
      if ('left' in outcome && outcome.left)
        expect(conversation.fromServer.subarray(-outcome.left.length || Infinity)).toEqual(outcome.left)
    }),
    { numRuns: 300 },
  )
})

test('in whatever pieces it comes, the same is made of it', async () => {
  await fc.assert(
    fc.asyncProperty(conversations, fc.integer({ min: 1, max: 9 }), async (conversation, size) => {
      expect(await talk(conversation, size)).toEqual(await talk(conversation))
    }),
    { numRuns: 150 },
  )
})
