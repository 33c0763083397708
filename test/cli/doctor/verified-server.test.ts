import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket, type TLSSocketOptions } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createAuthority, type IssueOptions } from '../../../src/dev/postgres/certificate-authority.ts'
import { type ApiStub, RDS_HOST, sampleReply, startApiStub } from '../../support/service/api-stub.ts'
import { examine } from './support.ts'

const DAY_MS = 24 * 60 * 60_000
const authority = createAuthority()

let api: ApiStub
let folder: string
beforeAll(async () => {
  api = await startApiStub()
  folder = await mkdtemp(join(tmpdir(), 'jeton-doctor-'))
})
afterAll(async () => {
  await api.close()
  await rm(folder, { recursive: true })
})

let server: Server | undefined
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server?.close()
})

/** Starts a server that does this with each connection, and returns a reply that leads to it. */
async function serve(onSocket: (socket: Socket, number: number) => void, overrides = {}) {
  server = createServer(socket => {
    sockets.push(socket.on('error', () => {}))
    onSocket(socket, sockets.length)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as { port: number }
  return sampleReply({ connect: `127.0.0.1:${port}`, ca: { pem: authority.caPem }, ...overrides })
}

const certificate = (names: string[] = [RDS_HOST], options?: IssueOptions) => {
  const { certPem: cert, keyPem: key } = authority.issue(names, options)
  return { cert, key }
}

/** Speaks PostgreSQL until TLS is there and the client has sent the first message in it. */
function postgres(onLogin: (secure: TLSSocket) => void, options: TLSSocketOptions = certificate()) {
  return (socket: Socket) =>
    socket.once('data', () => {
      socket.write('S')
      const secure = new TLSSocket(socket, { isServer: true, ...options })
      secure.on('error', () => {}).once('data', () => onLogin(secure))
    })
}

const latin1 = (text: string) => Buffer.from(text, 'latin1')
const message = (type: string, body: string) => {
  const head = Buffer.alloc(5, type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, latin1(body)])
}
const LET_IN = Buffer.concat([message('R', '\0\0\0\0'), message('Z', 'I')])

describe('TLS:', () => {
  test.each<[string, TLSSocketOptions, string, RegExp]>([
    ['another name', certificate(['other.example.com']), 'ERR_TLS_CERT_ALTNAME_INVALID', /another server/],
    [
      'an end',
      certificate([RDS_HOST], { expiresAt: Date.now() - DAY_MS }),
      'CERT_HAS_EXPIRED',
      /has expired/,
    ],
    [
      'a beginning to come',
      certificate([RDS_HOST], { startsAt: Date.now() + DAY_MS, expiresAt: Date.now() + 2 * DAY_MS }),
      'CERT_NOT_YET_VALID',
      /not valid yet/,
    ],
    [
      'another purpose',
      certificate([RDS_HOST], { purpose: 'client' }),
      'INVALID_PURPOSE',
      /is not one for servers/,
    ],
  ])('a certificate with %s', async (_, options, code, means) => {
    const { failed, means: text } = await examine(api, await serve(postgres(() => {}, options)))
    expect(failed).toMatchObject({ step: 'tls', code, detail: expect.stringContaining('; certificate for ') })
    expect(text).toMatch(means)
    expect(text).toMatch(/\. The token was not sent$/)
  })

  test('another version of it, or what is none', async () => {
    const old = {
      ...certificate(),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    }
    const garbage = (socket: Socket) =>
      socket.once('data', () => {
        socket.write('S')
        socket.once('data', () => socket.write('no TLS at all'))
      })
    for (const onSocket of [postgres(() => {}, old as TLSSocketOptions), garbage]) {
      const { failed, means } = await examine(api, await serve(onSocket))
      expect(failed).toMatchObject({ step: 'tls', code: expect.stringMatching(/^(ERR_SSL_|EPROTO)/) })
      expect(means).toBe('what answers speaks another version of TLS, or none. The token was not sent')
      server?.close()
    }
  })

  test('a certificate that does not verify, and a server that then says no more', async () => {
    const wrong = postgres(() => {}, certificate(['other.example.com']))
    const reply = await serve((socket, number) => void (number === 1 ? wrong(socket) : socket.resume()))
    const { failed } = await examine(api, reply)
    expect(failed).toMatchObject({ step: 'tls', code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    // or the command would never end
    await expect.poll(() => sockets[1]?.closed).toBe(true)
  })
})

describe('the file of --ca', () => {
  test.each([
    ['is empty', '', 'is empty'],
    ['has no certificate', 'root:x:0:0', 'has no certificate in PEM in it'],
  ])('%s', async (title, text, words) => {
    const ca = join(folder, title)
    await writeFile(ca, text)
    const { code, stderr, steps } = await examine(api, sampleReply(), { ca })
    expect([code, steps]).toEqual([2, []])
    expect(stderr).toContain(`jeton: --ca: ${ca} ${words}`)
  })
})

describe('PostgreSQL:', () => {
  const examineLogin = async (onLogin: (secure: TLSSocket) => void) =>
    examine(api, await serve(postgres(onLogin)))

  test('notices before it refuses', async () => {
    const { failed } = await examineLogin(secure => {
      for (let n = 0; n < 20; n++) secure.write(message('N', 'SNOTICE\0C00000\0Mhello\0\0'))
      secure.write(message('E', 'SFATAL\0C53300\0Msorry, too many clients already\0\0'))
    })
    expect(failed).toMatchObject({ step: 'login', code: '53300' })
  })

  test('notices without end', async () => {
    const { failed } = await examineLogin(secure => {
      const send = () => {
        while (secure.writable && secure.write(message('N', 'x'.repeat(60_000))));
        secure.once('drain', send)
      }
      send()
    })
    expect(failed).toMatchObject({ step: 'login', detail: 'no answer to the login within 0.3 s' })
  })

  test('what is no database, behind TLS', async () => {
    const { failed, means } = await examineLogin(secure => secure.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect([failed?.step, means]).toEqual(['login', 'what answers there does not go on as a database does'])
  })

  test('a user who needs no token', async () => {
    const { code, steps } = await examineLogin(secure => {
      secure.write(LET_IN)
      secure.once('data', () =>
        secure.write(Buffer.concat([message('D', '\0\x01\0\0\0\x03app'), message('Z', 'I')])),
      )
    })
    expect(code).toBe(0)
    expect(steps.find(({ step }) => step === 'login')?.detail).toBe(
      'as app_ro; the server asked for no token, and may let anybody in as this user',
    )
  })

  test('a query that is not answered', async () => {
    const { failed, means } = await examineLogin(secure => secure.write(LET_IN))
    expect([failed?.step, means]).toEqual(['query', 'the login was accepted; the query takes too long'])
  })
})
