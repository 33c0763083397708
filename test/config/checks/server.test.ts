import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { problemsOf, type Sound, tlsFiles } from '../support.ts'

const withServer = (server: object) => (config: Sound) => ({ ...config, server })
const TLS = { cert: 'server.pem', key: 'server-key.pem' }
const UNREADABLE =
  'names a file that cannot be read (ENOENT); a relative path is relative to the folder of the configuration'

describe('the server', () => {
  test.each(['0.0.0.0', '::', '10.0.0.1', 'jeton.example', 'localhost.example', '127.0.0.1.example'])(
    'does not listen on %s in clear',
    async host => {
      expect(await problemsOf(withServer({ host }))).toEqual([
        expect.stringMatching(/^server\.host: is not loopback.*server\.tls.*server\.behindProxy/),
      ])
      expect(await problemsOf(withServer({ host, behindProxy: 1 }))).toEqual([])
      expect(await problemsOf(withServer({ host, tls: TLS }), tlsFiles())).toEqual([])
    },
  )

  test.each(['localhost', '127.0.0.1', '127.8.8.8', '::1'])('listens on %s in clear', async host => {
    expect(await problemsOf(withServer({ host }))).toEqual([])
  })

  test('does not speak of its host where something else of it is broken', async () => {
    const tls = { cert: 7, key: 'server-key.pem' }
    expect(await problemsOf(withServer({ host: '0.0.0.0', tls }))).toEqual([
      'server.tls.cert: must be text: put it in quotes',
    ])
  })

  test('keeps callers and /metrics apart', async () => {
    expect(await problemsOf(withServer({ port: 9464, admin: {} }))).toEqual([
      'server.admin.port: is the port for callers too: give it one of its own',
    ])
    expect(await problemsOf(withServer({ port: 0, admin: { port: 0 } }))).toEqual([])
    expect(await problemsOf(withServer({ port: 9464, admin: { host: '127.0.0.2' } }))).toEqual([])
  })

  test('tells which of its files is not what it should be', async () => {
    const own = tlsFiles()
    expect(await problemsOf(withServer({ tls: TLS }))).toEqual([
      `server.tls.cert: ${UNREADABLE}`,
      `server.tls.key: ${UNREADABLE}`,
    ])
    expect(await problemsOf(withServer({ tls: { cert: TLS.key, key: TLS.cert } }), own)).toEqual([
      'server.tls.cert: names a file without a certificate in PEM',
      'server.tls.key: names a file without a private key in PEM (an encrypted one cannot be used)',
    ])
    const other = { ...own, 'server-key.pem': tlsFiles()['server-key.pem'] }
    expect(await problemsOf(withServer({ tls: TLS }), other)).toEqual([
      'server.tls: the key is not the one that the certificate is for',
    ])
    const cipher = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const
    const encrypted = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(cipher).toString()
    expect(await problemsOf(withServer({ tls: TLS }), { ...own, 'server-key.pem': encrypted })).toEqual([
      'server.tls.key: names a file without a private key in PEM (an encrypted one cannot be used)',
    ])
  })
})
