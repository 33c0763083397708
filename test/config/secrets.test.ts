import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { jwksText, privateJwk, problemsOf, type Sound, tlsFiles } from './support.ts'

const withServer = (server: object) => (config: Sound) => ({ ...config, server })
const withIssuers = (issuers: object) => (config: Sound) => ({
  ...config,
  issuers: { ...config.issuers, ...issuers },
})
const cluster = (jwksFile: string, audience = 'jeton') => ({
  issuer: 'https://kubernetes.default.svc',
  audience,
  jwksFile,
})

describe('secrets', () => {
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
  const apiKey = `jeton_${'s3cret'.repeat(7)}`

  test.each<[string, (config: Sound) => unknown]>([
    ['an API key for its hash', c => ({ ...c, apiKeys: { nightly: { sha256: apiKey } } })],
    ['an API key among hashes', c => ({ ...c, apiKeys: { nightly: { sha256: ['a'.repeat(64), apiKey] } } })],
    ['an API key for its entry', c => ({ ...c, apiKeys: { nightly: apiKey } })],
    [
      'an API key for its name',
      c => ({
        ...c,
        grants: [{ ...c.grants[0], principal: { issuer: 'apiKey', subject: apiKey } }],
      }),
    ],
    [
      'an API key for an issuer',
      c => ({ ...c, grants: [{ ...c.grants[0], principal: { issuer: apiKey, subject: 'x' } }] }),
    ],
    ['a key for its path', withServer({ tls: { cert: 'server.pem', key: pem } })],
    ['a key for its path, on one line', withServer({ tls: { cert: 'x', key: pem.replaceAll('\n', '') } })],
    ['a bare key for its path', withServer({ tls: { cert: 'x', key: pem.split('\n')[1] } })],
    ['a key for a path of keys', withIssuers({ x: cluster(pem) })],
    [
      'a password in a host',
      c => ({ ...c, databases: { orders: { ...c.databases.orders, host: `u:${apiKey}@db` } } }),
    ],
    [
      'a password in an issuer',
      withIssuers({ x: { issuer: `https://u:${apiKey}@x.example`, audience: 'a' } }),
    ],
    [
      'a secret for the KMS key of the store',
      c => ({ ...c, store: { type: 'dynamodb', table: 'jeton', encryption: { kmsKeyId: apiKey } } }),
    ],
    [
      'a secret for the key file of the store',
      c => ({ ...c, store: { type: 'dynamodb', table: 'jeton', encryption: { keyFile: [apiKey] } } }),
    ],
    ['a secret for a table', c => ({ ...c, audit: [{ type: 'dynamodb', table: `${apiKey}!` }] })],
    ['a secret for a list of choices', c => ({ ...c, store: { type: apiKey } })],
    [
      'a secret for a role',
      c => ({ ...c, databases: { orders: { ...c.databases.orders, roleArn: apiKey } } }),
    ],
  ])('are shown in no message: %s', async (_, leaky) => {
    const problems = await problemsOf(leaky)
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.join()).not.toContain('s3cret')
    expect(problems.join()).not.toContain(pem.split('\n')[1]?.slice(0, 10))
  })

  test('say so where what belongs in a file stands in place of its path', async () => {
    expect(await problemsOf(withServer({ tls: { cert: 'server.pem', key: pem } }), tlsFiles())).toEqual([
      'server.tls.key: holds what belongs in a file: give the path of the file',
    ])
  })

  test('of a key file are not shown', async () => {
    const jwk = privateJwk()
    const problems = await problemsOf(withIssuers({ x: cluster('k') }), { k: jwksText([jwk]) })
    expect(problems.join()).not.toContain(jwk.d)
    const notJson = await problemsOf(withIssuers({ x: cluster('k') }), { k: pem })
    expect(notJson.join()).not.toMatch(/BEGIN|MI[A-Z]/)
  })
})
