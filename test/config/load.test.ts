import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { EXAMPLE, jwksText, problemsAt, problemsOf, publicJwk, sound, tlsFiles, written } from './support.ts'

describe('loadConfig', () => {
  test('loads an example with every section', async () => {
    const tls = tlsFiles()
    const keys = [publicJwk('cluster-key')]
    const path = await written(EXAMPLE, { ...tls, 'cluster-jwks.json': jwksText(keys) })
    expect(await loadConfig(path)).toEqual({
      server: {
        host: '127.0.0.1',
        port: 8080,
        behindProxy: undefined,
        connections: { max: 4000, maxPerAddress: 1000 },
        tls: { cert: tls['server.pem'], key: tls['server-key.pem'] },
        admin: { host: '127.0.0.1', port: 9464 },
      },
      issuers: [
        { name: 'github', issuer: 'https://token.actions.githubusercontent.com', audience: 'jeton' },
        { name: 'cluster', issuer: 'https://kubernetes.default.svc', audience: 'jeton', jwks: { keys } },
      ],
      apiKeys: { 'nightly-report': ['9f86d081'.repeat(8)] },
      databases: [ORDERS],
      grants: [
        {
          name: 'orders-deploy',
          principal: {
            issuer: 'github',
            claims: { repository_id: 123456, ref: ['refs/heads/main', 'refs/tags/v*'] },
          },
          database: 'orders',
          users: ['migrator'],
          session: 'shared',
        },
      ],
      store: { type: 'memory' },
      audit: [{ type: 'stdout' }, { type: 'file', path: join(dirname(path), 'audit.jsonl') }],
      operators: [],
      origin: expect.any(Object),
      warnings: [],
    })
  })

  test('fills in the defaults', async () => {
    const { issuers, apiKeys, ...least } = sound()
    const config = await loadConfig(await written({ ...least, grants: [] }))
    expect(config).toMatchObject({
      server: { host: '127.0.0.1', port: 8080 },
      issuers: [],
      apiKeys: {},
      grants: [],
      store: { type: 'memory' },
      audit: [{ type: 'stdout' }],
    })
    expect(config.databases[0]).toMatchObject({ port: 5432, newTokensPerSecond: 16 })
    expect(config.server).toMatchObject({ tls: undefined, admin: undefined, behindProxy: undefined })
  })

  test('resolves the path of a file sink against its own folder', async () => {
    const path = await written({ ...sound(), audit: [{ type: 'file', path: 'logs/audit.jsonl' }] })
    await mkdir(join(dirname(path), 'logs'))
    expect((await loadConfig(path)).audit).toEqual([
      { type: 'file', path: join(dirname(path), 'logs', 'audit.jsonl') },
    ])
  })

  test('does not warn of stdout as the only log if what runs jeton keeps it', async () => {
    const path = await written(sound())
    expect((await loadConfig(path)).warnings).toMatchObject([{ path: 'audit' }])
    expect((await loadConfig(path, { keepsStdout: true })).warnings).toEqual([])
  })

  test('reports every problem at once, each with its path', async () => {
    const broken = `
server: { host: 0.0.0.0, prot: 8080 }
issuers:
  github: { issuer: https://token.actions.githubusercontent.com, audience: [] }
  plain: { issuer: http://issuer.example, audience: jeton }
databases:
  orders:
    engine: oracle
    host: 10.0.0.1
    resourceId: db-ABC
    roleArn: arn:aws:iam::123456789012:role/jeton
    users: [app]
  billing:
    engine: mysql
    host: db.internal
    resourceId: db-ABC
    users: ["app*", app]
    roleArn: jeton
grants:
  - { name: a, principal: { issuer: plain, subject: x }, database: orders, users: [app, root] }
  - { name: a, principal: { issuer: gitlab, anyone: true }, database: nope, users: [app] }
audit: [{ type: file }]
`
    const problems = await problemsOf(broken)
    expect(problems.map(problem => problem.split(': ')[0])).toEqual([
      'server.prot',
      'issuers.github.audience',
      'databases.orders.engine',
      'server.host',
      'issuers.plain.issuer',
      'databases.billing.host',
      'databases.billing.roleArn',
      'databases.billing.users[0]',
      'grants[0].users[1]',
      'grants[1].database',
      'grants[1].principal.issuer',
      'grants[1].name',
      'audit[0].path',
    ])
  })

  test('says which file it cannot read, and how to name another', async () => {
    expect(await problemsAt('/nowhere/jeton.yaml')).toEqual([
      'cannot be read (ENOENT); name another with --config or JETON_CONFIG',
    ])
    await expect(loadConfig('/nowhere/jeton.yaml')).rejects.toThrow('/nowhere/jeton.yaml:1:1: cannot be read')
    expect(await problemsAt(dirname(await written('')))).toEqual([
      expect.stringMatching(/^cannot be read \(EISDIR\)/),
    ])
  })

  test('checks an address to listen on instead by the same rules', async () => {
    const path = await written(sound())
    expect((await loadConfig(path, { host: '::1', port: 0 })).server).toMatchObject({ host: '::1', port: 0 })
    expect(await problemsAt(path, { host: '0.0.0.0' })).toEqual([
      expect.stringMatching(/^server\.host: is not loopback/),
    ])
  })

  test('returns a Config or throws a ConfigError for any JSON, never another error', async () => {
    const path = await written('')
    await fc.assert(
      fc.asyncProperty(anyConfig(), async value => {
        await writeFile(path, JSON.stringify(value))
        const outcome = await loadConfig(path).catch((cause: unknown) => cause)
        const isConfig = typeof outcome === 'object' && outcome !== null && 'grants' in outcome
        expect(isConfig || outcome instanceof ConfigError, String(outcome)).toBe(true)
      }),
      { numRuns: 400 },
    )
  })
})

/** Any JSON, and sound configurations with any JSON somewhere in them. */
function anyConfig(): fc.Arbitrary<unknown> {
  const paths = [
    ['server'],
    ['server', 'tls'],
    ['issuers'],
    ['issuers', 'a b'],
    ['issuers', 'own'],
    ['issuers', 'own', 'issuer'],
    ['issuers', 'own', 'jwksFile'],
    ['apiKeys'],
    ['apiKeys', 'nightly', 'sha256'],
    ['databases'],
    ['databases', 'orders'],
    ['databases', 'orders', 'host'],
    ['databases', 'orders', 'users'],
    ['databases', 'orders', 'connect'],
    ['grants'],
    ['grants', '0'],
    ['grants', '0', 'principal'],
    ['grants', '0', 'principal', 'subject'],
    ['grants', '0', 'principal', 'claims'],
    ['grants', '0', 'principal', 'claims', 'line\nbreak'],
    ['grants', '0', 'principal', 'claims', '__proto__'],
    ['audit'],
  ]
  return fc.oneof(
    fc.jsonValue(),
    fc
      .tuple(fc.constantFrom(...paths), fc.jsonValue())
      .map(([path, value]) => withValueAt(sound(), path, value)),
  )
}

function withValueAt(config: unknown, [name, ...below]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value
  const entries = Object.entries(config ?? {})
  const [, inner] = entries.find(([key]) => key === name) ?? []
  if (Array.isArray(config)) return [withValueAt(inner, below, value)]
  return Object.fromEntries([
    ...entries.filter(([key]) => key !== name),
    [name, withValueAt(inner, below, value)],
  ])
}
