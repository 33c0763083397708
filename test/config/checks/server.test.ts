import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { LoadOptions } from '../../../src/config/check-config.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { MISSING_FILE, problemsOf, sound, tlsFiles, withServer, written } from '../support.ts'

const TLS = { cert: 'server.pem', key: 'server-key.pem' }
const NO_KEY =
  'server.tls.key: names a file that contains no PEM private key (jeton cannot use an encrypted key)'

describe('checkServer', () => {
  test.each(['0.0.0.0', '::', '10.0.0.1', 'jeton.example', 'localhost.example', '127.0.0.1.example'])(
    'rejects %s without TLS',
    async host => {
      expect(await problemsOf(withServer({ host }))).toEqual([
        expect.stringMatching(/^server\.host: is not loopback.*server\.tls.*server\.behindProxy/),
      ])
      expect(await problemsOf(withServer({ host, behindProxy: 1 }))).toEqual([])
      expect(await problemsOf(withServer({ host, tls: TLS }), tlsFiles())).toEqual([])
    },
  )

  test.each(['localhost', '127.0.0.1', '127.8.8.8', '::1'])('accepts %s without TLS', async host => {
    expect(await problemsOf(withServer({ host }))).toEqual([])
  })

  test('does not check the host if another key of the server is broken', async () => {
    const tls = { cert: 7, key: 'server-key.pem' }
    expect(await problemsOf(withServer({ host: '0.0.0.0', tls }))).toEqual([
      'server.tls.cert: must be text: put it in quotes',
    ])
  })

  test('rejects one port for callers and /metrics', async () => {
    expect(await problemsOf(withServer({ port: 9464, admin: {} }))).toEqual([
      'server.admin.port: is also server.port: /metrics needs a port of its own',
    ])
    expect(await problemsOf(withServer({ port: 0, admin: { port: 0 } }))).toEqual([])
    expect(await problemsOf(withServer({ port: 9464, admin: { host: '127.0.0.2' } }))).toEqual([])
  })

  test('rejects one port for callers and /metrics if one of the addresses stands for the other', async () => {
    const taken = ['server.admin.port: is also server.port: /metrics needs a port of its own']
    const on = (host: string, admin: string) =>
      problemsOf(withServer({ host, port: 9464, behindProxy: 1, admin: { host: admin } }))
    expect(await on('0.0.0.0', '127.0.0.1')).toEqual(taken)
    expect(await on('127.0.0.1', '::')).toEqual(taken)
    expect(await on('::1', '0:0:0:0:0:0:0:1')).toEqual(taken)
    expect(await on('0.0.0.0', '::1')).toEqual([])
    expect(await on('10.0.0.1', '127.0.0.1')).toEqual([])
  })

  test.each([
    ['http://0.0.0.0', 'is a URL or a path'],
    ['0.0.0.0:8080', 'contains a port'],
    ['[::1]', 'has brackets'],
    ['*', 'is *: write 0.0.0.0'],
    ['10.0.0.300', 'is not an address or a name'],
    ['10.1', 'is not an address or a name'],
    ['my host', 'is not an address or a name'],
  ])('rejects %s, on which no server can listen', async (host, message) => {
    const [problem] = await problemsOf(withServer({ host, behindProxy: 1 }))
    expect(problem).toContain(`server.host: ${message}`)
    expect(await problemsOf(withServer({ admin: { host } }))).toEqual([
      expect.stringContaining(`server.admin.host: ${message}`),
    ])
  })

  test('warns of an address that this machine does not have, where it is checked', async () => {
    const warningsOf = async (host: string, options: LoadOptions = {}) => {
      const path = await written(withServer({ host, behindProxy: 1 })(sound()))
      const { warnings = [] } = await loadConfig(path, options)
      return warnings.filter(({ path }) => path === 'server.host').map(({ message }) => message)
    }
    // RFC 5737, 3: for documentation alone
    expect(await warningsOf('192.0.2.1')).toEqual([
      'is 192.0.2.1, which this machine does not have: jeton cannot listen there; 0.0.0.0 is all addresses that it has',
    ])
    expect(await warningsOf('192.0.2.1', { purpose: 'start' })).toEqual([])
    for (const host of ['0.0.0.0', '::', '127.0.0.2', 'jeton.example'])
      expect(await warningsOf(host)).toEqual([])
  })

  test('says which of its files cannot be used', async () => {
    const own = tlsFiles()
    expect(await problemsOf(withServer({ tls: TLS }))).toEqual([
      `server.tls.cert: ${MISSING_FILE}`,
      `server.tls.key: ${MISSING_FILE}`,
    ])
    expect(await problemsOf(withServer({ tls: { cert: TLS.key, key: TLS.cert } }), own)).toEqual([
      'server.tls.cert: names a file that contains no PEM certificate',
      NO_KEY,
    ])
    const other = { ...own, 'server-key.pem': tlsFiles()['server-key.pem'] }
    expect(await problemsOf(withServer({ tls: TLS }), other)).toEqual([
      'server.tls: has a private key that does not belong to the certificate',
    ])
    const cipher = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const
    const encrypted = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(cipher).toString()
    expect(await problemsOf(withServer({ tls: TLS }), { ...own, 'server-key.pem': encrypted })).toEqual([
      NO_KEY,
    ])
  })

  test.each([
    [{}, { max: 4000, maxPerAddress: 1000 }],
    [{ connections: { max: 50 } }, { max: 50, maxPerAddress: 13 }],
    [{ connections: { max: 50, maxPerAddress: 50 } }, { max: 50, maxPerAddress: 50 }],
    [{ behindProxy: 1 }, { max: 4000, maxPerAddress: undefined }],
    [
      { behindProxy: 2, connections: { max: 50 } },
      { max: 50, maxPerAddress: undefined },
    ],
  ])('with %j limits connections to %j', async (server, connections) => {
    const { server: checked } = await loadConfig(await written(withServer(server)(sound())))
    expect(checked.connections).toEqual(connections)
  })

  test('rejects limits of connections that say nothing', async () => {
    expect(await problemsOf(withServer({ behindProxy: 1, connections: { maxPerAddress: 9 } }))).toEqual([
      expect.stringMatching(/^server\.connections\.maxPerAddress: .*behindProxy/),
    ])
    expect(await problemsOf(withServer({ connections: { max: 10, maxPerAddress: 11 } }))).toEqual([
      'server.connections.maxPerAddress: must not be more than max, which is 10',
    ])
    for (const max of [0, 9, 100_001, '50'])
      expect(await problemsOf(withServer({ connections: { max } }))).toEqual([
        expect.stringMatching(/^server\.connections\.max: /),
      ])
  })
})
