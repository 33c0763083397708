import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  jwksText,
  pinnedIssuer,
  privateJwk,
  problemsOf,
  type Sound,
  tlsFiles,
  withApiKeys,
  withAudit,
  withIssuers,
  withOrders,
  withPrincipal,
  withServer,
  withStore,
} from './support.ts'

const withEncryption = (encryption: object) => withStore({ type: 'dynamodb', table: 'jeton', encryption })

describe('messages of problems', () => {
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
  const apiKey = `jeton_${'s3cret'.repeat(7)}`

  test.each<[string, (config: Sound) => unknown]>([
    ['an API key in the place of its hash', withApiKeys({ nightly: { sha256: apiKey } })],
    ['an API key among hashes', withApiKeys({ nightly: { sha256: ['a'.repeat(64), apiKey] } })],
    ['an API key in the place of its entry', withApiKeys({ nightly: apiKey })],
    ['an API key in the place of its name', withPrincipal({ issuer: 'apiKey', subject: apiKey })],
    ['an API key in the place of an issuer', withPrincipal({ issuer: apiKey, subject: 'x' })],
    ['a private key in the place of its path', withServer({ tls: { cert: 'server.pem', key: pem } })],
    ['a private key on one line', withServer({ tls: { cert: 'x', key: pem.replaceAll('\n', '') } })],
    ['a private key without its header', withServer({ tls: { cert: 'x', key: pem.split('\n')[1] } })],
    ['a private key in the place of a key set', withIssuers({ x: pinnedIssuer(pem) })],
    ['a password in a host', withOrders({ host: `u:${apiKey}@db` })],
    [
      'a password in an issuer',
      withIssuers({ x: { issuer: `https://u:${apiKey}@x.example`, audience: 'a' } }),
    ],
    ['a secret in the place of a KMS key', withEncryption({ kmsKeyId: apiKey })],
    ['a secret in the place of a key file', withEncryption({ keyFile: [apiKey] })],
    ['a secret in the place of a table', withAudit([{ type: 'dynamodb', table: `${apiKey}!` }])],
    ['a secret in the place of a choice', withStore({ type: apiKey })],
    ['a secret in the place of a role', withOrders({ roleArn: apiKey })],
  ])('never quote %s', async (_, change) => {
    const problems = await problemsOf(change)
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.join()).not.toContain('s3cret')
    expect(problems.join()).not.toContain(pem.split('\n')[1]?.slice(0, 10))
  })

  test('say that a path contains what belongs in a file', async () => {
    expect(await problemsOf(withServer({ tls: { cert: 'server.pem', key: pem } }), tlsFiles())).toEqual([
      'server.tls.key: contains what belongs in a file: use the path of the file instead',
    ])
  })

  test('never quote a key file', async () => {
    const jwk = privateJwk()
    const problems = await problemsOf(withIssuers({ x: pinnedIssuer('k') }), { k: jwksText([jwk]) })
    expect(problems.join()).not.toContain(jwk.d)
    const notJson = await problemsOf(withIssuers({ x: pinnedIssuer('k') }), { k: pem })
    expect(notJson.join()).not.toMatch(/BEGIN|MI[A-Z]/)
  })
})
