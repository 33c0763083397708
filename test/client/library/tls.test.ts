import type { AddressInfo } from 'node:net'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer, TLSSocket } from 'node:tls'
import { createConnection as connectMariadb } from 'mariadb'
import { createConnection as connectMysql2 } from 'mysql2/promise'
import pg from 'pg'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { databaseUrl } from '../../../src/client/forms/uri.ts'
import { createTokensWith } from '../../../src/client/library/tokens.ts'
import type { Tokens } from '../../../src/client/library/types.ts'
import { createNodeSend } from '../../../src/client/node-http.ts'
import type { TokenReply } from '../../../src/client/token-reply.ts'
import { createAuthority } from '../../../src/dev/postgres/certificate-authority.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { type ApiStub, RDS_HOST, sampleReply, startApiStub } from '../../support/service/api-stub.ts'

/** Another server's certificate of the very same CA: who has it must not be sent a token. */
const authority = createAuthority()
const OTHER = authority.issue(['other.c9akciq32xyz.us-east-1.rds.amazonaws.com', 'localhost'])
const OWN = authority.issue([RDS_HOST])

let api: ApiStub
beforeEach(async () => {
  api = await startApiStub()
})
afterEach(() => api.close())

function tokensOf(engine: string, port: number): Tokens {
  api.answers = [
    { body: sampleReply({ engine, connect: `localhost:${port}`, ca: { pem: authority.caPem } }) },
  ]
  const clock = virtualClock()
  const options = { database: 'orders', url: api.url, credential: 'ApiKey secret' }
  return createTokensWith(options, { env: {}, clock, monotonic: clock, send: createNodeSend() })
}

async function listen(server: NetServer): Promise<number> {
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A server that speaks PostgreSQL as far as TLS, and then asks for a password; returns what came after that. */
async function startPostgresImpostor({ certPem: cert, keyPem: key }: typeof OTHER) {
  const received: Buffer[] = []
  const port = await listen(
    createServer(socket => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write('S')
        const secure = new TLSSocket(socket, { isServer: true, cert, key })
        secure.on('error', () => {})
        secure.on('data', data => {
          received.push(data)
          // AuthenticationCleartextPassword
          secure.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
        })
      })
    }),
  )
  return { port, received: () => Buffer.concat(received).toString('latin1') }
}

test('pg sends a token to the server of RDS, through a tunnel with another name', async () => {
  const server = await startPostgresImpostor(OWN)
  const client = new pg.Client(await tokensOf('postgres', server.port).pg())
  client.on('error', () => {})
  client.connect().catch(() => {})
  await expect.poll(server.received).toContain('X-Amz-Signature')
  await client.end()
})

test('pg sends none to a server with the certificate of another, even if it is dialled by that name', async () => {
  const server = await startPostgresImpostor(OTHER)
  const client = new pg.Client(await tokensOf('postgres', server.port).pg())
  client.on('error', () => {})
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  expect(server.received()).toBe('')
})

/** A TLS connection as mysql2 makes one, whose own check of the certificate can be switched off. */
async function secureStream({ certPem: cert, keyPem: key }: typeof OTHER, session?: Buffer) {
  const port = await listen(createTlsServer({ cert, key }, socket => void socket.on('error', () => {})))
  const stream = connectTls({ port, ca: authority.caPem, checkServerIdentity: () => undefined, session })
  onTestFinished(() => void stream.destroy())
  await new Promise<unknown>((resolve, reject) => stream.once('secureConnect', resolve).once('error', reject))
  return stream
}

const CHECKED = { host: RDS_HOST, ssl: { verifyIdentity: true } }

async function answerOf(stream: unknown, config: object = CHECKED): Promise<string> {
  const { authPlugins } = await tokensOf('mysql', 1).mysql2()
  const answer = authPlugins.mysql_clear_password({ connection: { stream, config }, command: undefined })
  return answer().then(String)
}

test('mysql2 sends a token over TLS to a server whose certificate is that of RDS', async () => {
  expect(await answerOf(await secureStream(OWN))).toMatch(/^orders\..*X-Amz-Signature=.*\0$/)
})

test.each<[string, () => Promise<Socket>, object | undefined]>([
  ['without TLS', async () => new (await import('node:net')).Socket(), undefined],
  ['with the certificate of another', () => secureStream(OTHER), undefined],
  ['whose name is not checked', () => secureStream(OWN), { host: RDS_HOST, ssl: { verifyIdentity: false } }],
  ['dialled by another name', () => secureStream(OWN), { host: 'localhost', ssl: { verifyIdentity: true } }],
])('mysql2 sends none to a server %s', async (_, connect, config) => {
  await expect(answerOf(await connect(), config)).rejects.toMatchObject({
    name: 'TokenError',
    message: expect.stringContaining('no token is sent'),
  })
})

/** A server that speaks MySQL without TLS, and asks for a password in clear text; returns what came to it. */
async function startMysqlImpostor() {
  const received: Buffer[] = []
  const port = await listen(
    createServer(socket => {
      socket.on('error', () => {}).on('data', data => received.push(data))
      socket.write(GREETING)
      socket.once('data', () => socket.write(packet(2, Buffer.from('\xfemysql_clear_password\0', 'latin1'))))
    }),
  )
  return { port, received: () => Buffer.concat(received).toString('latin1') }
}

test('mysql2 sends none to a server that speaks no TLS, though its user switched TLS off', async () => {
  const { port, received } = await startMysqlImpostor()
  const { ssl: _, ...options } = await tokensOf('mysql', port).mysql2()
  await expect(connectMysql2(options)).rejects.toThrow('no token is sent without TLS')
  expect(received()).not.toContain('X-Amz-Signature')
})

test.each([
  ['mysql2', 'mysql:', connectMysql2, 'enableCleartextPlugin'],
  ['mariadb', 'mariadb:', connectMariadb, 'requires TLS'],
])(
  '%s sends none if all it has is DATABASE_URL, which makes it check nothing',
  async (_, scheme, connect, reason) => {
    vi.spyOn(console, 'error').mockReturnValue()
    const { port, received } = await startMysqlImpostor()
    const reply = sampleReply({
      engine: 'mysql',
      host: '127.0.0.1',
      port,
      dbname: 'shop',
    }) as unknown as TokenReply
    const url = databaseUrl({ reply, caFile: '/ca.pem' }).replace('mysql:', scheme)
    await expect(connect(url)).rejects.toThrow(reason)
    expect(received()).toContain('mysql_native_password')
    expect(received()).not.toContain('X-Amz-Signature')
  },
)

/** MySQL's packet: its length in three bytes, its number, and what is in it. */
function packet(number: number, payload: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([payload.length, payload.length >> 8, payload.length >> 16, number]),
    payload,
  ])
}

/** A server's greeting (protocol 10) with CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION and CLIENT_PLUGIN_AUTH, without CLIENT_SSL. */
const GREETING = packet(
  0,
  Buffer.concat([
    Buffer.from('\x0a8.0.36\0', 'latin1'),
    Buffer.from([1, 0, 0, 0]),
    Buffer.alloc(8, 'a'),
    Buffer.from([0, 0x00, 0x82, 45, 2, 0, 0x08, 0x00, 21]),
    Buffer.alloc(10),
    Buffer.from('aaaaaaaaaaaa\0mysql_native_password\0', 'latin1'),
  ]),
)
