import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Answer, startHostileIssuer } from './hostile-issuer.ts'
import { refused, unauthenticated, vended } from './outcomes.ts'
import { createSigner, encode, signatureOf } from './signer.ts'
import { startTarget } from './target.ts'

/** An issuer that somebody else controls: its keys are fetched, and it signs for its own principals alone. */
const GRANTS = [
  {
    name: 'theirs',
    principal: { issuer: 'hostile', subject: 'job-1' },
    database: 'orders',
    users: ['app_ro'],
  },
  {
    name: 'ours',
    principal: { issuer: 'pinned', subject: 'job-1' },
    database: 'orders',
    users: ['migrator'],
  },
]

async function startWith(keys: Answer) {
  const hostile = await startHostileIssuer(keys)
  const target = await startTarget({
    config: environment => {
      const { issuers } = environment.config() as { issuers: { ci: object } }
      const pinned = { issuer: createSigner().issuer, audience: 'jeton', jwksFile: 'pinned.json' }
      return { issuers: { hostile: { ...issuers.ci, issuer: hostile.url }, pinned }, grants: GRANTS }
    },
  })
  const jwt = (header: object = {}, key?: KeyObject) =>
    target.signer.jwt({ header, claims: { iss: hostile.url }, ...(key && { key }) })
  return { ...target, hostile, jwt }
}

const { jwks } = createSigner()
const [es256] = jwks.keys as [object]
const text =
  (body: string | Buffer, headers: object = {}, status = 200): Answer =>
  (response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
const cutOff: Answer = (response: ServerResponse) => {
  response.writeHead(200, { 'content-length': '900' }).write('{"keys":[')
  setTimeout(() => response.destroy(), 20)
}
const unavailable = (fields: object = {}) => ({
  ...refused(503, 'temporarily_unavailable', fields),
  record: expect.objectContaining({ decision: 'failed' }),
  headers: expect.objectContaining({ 'retry-after': expect.stringMatching(/^[1-9]\d*$/) }),
})

test('the key set that those below differ from is accepted', async () => {
  const { attack, jwt } = await startWith(jwks)
  expect(await attack({ jwt: jwt() })).toMatchObject(vended({ grant: 'theirs' }))
})

describe('a reply that is no key set is not known to be one: 503, and the keys of others go on working', () => {
  test.each<readonly [string, Answer]>([
    ['a page for people', text('<!doctype html><title>Log in</title>', { 'content-type': 'text/html' })],
    ['a page for people with a status of 200 and the type of JSON', text('<html>')],
    ['a list', text('[]')],
    ['a number', text('7')],
    ['null', text('null')],
    ['keys that are no list', { keys: { 0: es256 } }],
    ['keys that are text', { keys: ['key'] }],
    ['a key set of 1 MB', text(JSON.stringify({ keys: [es256], padding: 'x'.repeat(1_000_000) }))],
    [
      'a key set of 50 MB in 50 KB of gzip',
      text(gzipSync(`{"keys":[],"x":"${'0'.repeat(50_000_000)}"}`), { 'content-encoding': 'gzip' }),
    ],
    [
      'a redirect to itself',
      (response: ServerResponse) => void response.writeHead(302, { location: '/keys' }).end(),
    ],
    [
      'a redirect to the metadata of the machine',
      (response: ServerResponse) =>
        void response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data/' }).end(),
    ],
    ['a connection that is cut off', (response: ServerResponse) => void response.destroy()],
    ['a body that is cut off', cutOff],
    ['an error with a key set in it', text(JSON.stringify(jwks), {}, 500)],
    ['not found, with a key set in it', text(JSON.stringify(jwks), {}, 404)],
  ])('%s', async (_name, keys) => {
    const { attack, jwt, signer } = await startWith(keys)
    expect(await attack({ jwt: jwt() })).toMatchObject(unavailable())
    expect(await attack({ jwt: signer.jwt() })).toMatchObject(vended({ grant: 'ours' }))
  })
})

describe('a discovery document that leads elsewhere', () => {
  test.each([
    ['of another issuer', { issuer: 'https://idp.corp.example', jwks_uri: 'REPLACED' }],
    ['with a slash more', { issuer: 'ISSUER/', jwks_uri: 'REPLACED' }],
    ['to a file', { issuer: 'ISSUER', jwks_uri: 'file:///etc/passwd' }],
    ['to data', { issuer: 'ISSUER', jwks_uri: `data:application/json,${JSON.stringify(jwks)}` }],
    ['to plain http elsewhere', { issuer: 'ISSUER', jwks_uri: 'http://evil.example/keys' }],
    [
      'to an address that only looks like loopback',
      { issuer: 'ISSUER', jwks_uri: 'http://127.0.0.1.evil.example/keys' },
    ],
    ['with a user in the address', { issuer: 'ISSUER', jwks_uri: 'http://127.0.0.1@evil.example/keys' }],
    ['to nothing', { issuer: 'ISSUER' }],
    ['to a list', { issuer: 'ISSUER', jwks_uri: ['REPLACED'] }],
  ])('%s', async (_name, document) => {
    const { attack, jwt, hostile } = await startWith(jwks)
    const filled = JSON.stringify(document)
      .replace('ISSUER', hostile.url)
      .replace('REPLACED', `${hostile.url}/keys`)
    hostile.answer({ discovery: JSON.parse(filled) })
    expect(await attack({ jwt: jwt() })).toMatchObject(unavailable())
    expect(hostile.paths).not.toContain('/keys')
  })
})

describe('keys that verify nothing', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const unusual = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = (key: KeyObject, members: object = {}) => ({ ...key.export({ format: 'jwk' }), ...members })

  test.each<readonly [string, object[], object, KeyObject | undefined]>([
    ['none at all', [], {}, undefined],
    [
      'an RSA key of 1024 bits',
      [jwk(weak.publicKey, { kid: 'w' })],
      { alg: 'RS256', kid: 'w' },
      weak.privateKey,
    ],
    [
      'a curve that no algorithm here has',
      [jwk(unusual.publicKey, { kid: 'k1' })],
      { alg: 'ES256', kid: 'k1' },
      unusual.privateKey,
    ],
    ['for encryption', [{ ...es256, use: 'enc' }], {}, undefined],
    ['for signing alone', [{ ...es256, key_ops: ['sign'] }], {}, undefined],
    ['for another algorithm', [{ ...es256, alg: 'ES384' }], {}, undefined],
    ['without a kid, for a JWT that names one', [{ ...es256, kid: undefined }], {}, undefined],
    ['a point that is not on its curve', [{ ...es256, x: 'A'.repeat(43) }], {}, undefined],
    [
      'an exponent of 1',
      [{ kty: 'RSA', kid: 'e1', n: encode(Buffer.alloc(256, 0xff)), e: 'AQ' }],
      { alg: 'RS256', kid: 'e1' },
      undefined,
    ],
    ['of a type that nobody knows', [{ kty: 'MAGIC', kid: 'ES256' }], {}, undefined],
    ["somebody else's under the same kid", [jwk(other.publicKey, { kid: 'ES256' })], {}, undefined],
  ])('%s', async (_name, keys, header, key) => {
    const { attack, jwt } = await startWith({ keys })
    expect(await attack({ jwt: jwt(header, key) })).toMatchObject(unauthenticated())
  })

  test('a symmetric key, whose JWT says HS256', async () => {
    const secret = createSecretKey(Buffer.from('known to all'))
    const { attack, jwt } = await startWith({
      keys: [{ ...secret.export({ format: 'jwk' }), kid: 'ES256', alg: 'HS256' }],
    })
    expect(await attack({ jwt: jwt({ alg: 'HS256' }) })).toMatchObject(unauthenticated())
  })

  test('a private key that was published by mistake still tells who signed', async () => {
    const { attack, jwt } = await startWith({ keys: [{ ...es256, d: 'A'.repeat(43) }] })
    expect([200, 401]).toContain((await attack({ jwt: jwt() })).status)
  })

  test('two keys with one kid: either may have signed, nobody else', async () => {
    const keys = [jwk(other.publicKey, { kid: 'ES256', alg: 'ES256' }), es256]
    const { attack, jwt } = await startWith({ keys })
    const outcome = await attack({ jwt: jwt() })
    expect([200, 401]).toContain(outcome.status)
    const third = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    expect(await attack({ jwt: jwt({}, third) })).toMatchObject(unauthenticated())
  })

  test('hundreds of keys, for a JWT that names none of them', async () => {
    const keys = Array.from({ length: 300 }, (_, i) => ({ ...es256, kid: `k${i}`, x: 'B'.repeat(43) }))
    const { attack, jwt } = await startWith({ keys })
    const { status } = await attack({ jwt: jwt({ kid: undefined }) })
    expect([401, 503]).toContain(status)
  })
})

describe('an issuer speaks for itself alone', () => {
  test("it signs with another issuer's name", async () => {
    const { attack, signer } = await startWith(jwks)
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    expect(await attack({ jwt: signer.jwt({ key }) })).toMatchObject(unauthenticated())
  })

  test('it publishes the keys of another, whose JWTs then are its own', async () => {
    const { attack, signer } = await startWith(jwks)
    expect(await attack({ jwt: signer.jwt() })).toMatchObject(vended({ grant: 'ours' }))
  })
})

describe('keys that change', () => {
  const next = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rotated = {
    keys: [{ ...next.publicKey.export({ format: 'jwk' }), kid: 'next', alg: 'ES256' }, es256],
  }
  const forged = (jwt: (header: object) => string, kid: string) => jwt({ kid })

  test('an unknown key in an anonymous JWT does not shut out the key that comes next', async () => {
    const { attack, jwt, hostile } = await startWith(jwks)
    await attack({ jwt: jwt() })
    await attack({ jwt: forged(jwt, 'nobody-has-this') })
    hostile.answer({ keys: rotated })
    const outcome = await attack({ jwt: jwt({ kid: 'next' }, next.privateKey) })
    // served at once, or told when to come again; 401 would be final for clients
    expect([200, 503]).toContain(outcome.status)
    if (outcome.status === 503) expect(outcome.headers['retry-after']).toMatch(/^[1-9]\d*$/)
  })

  test('many unknown keys do not make the server ask its issuer each time', async () => {
    const { attack, jwt, hostile } = await startWith(jwks)
    await attack({ jwt: jwt() })
    const before = hostile.paths.length
    for (let i = 0; i < 40; i++) {
      const { status } = await attack({ jwt: forged(jwt, `guess-${i}`) })
      expect([401, 503]).toContain(status)
    }
    expect(hostile.paths.length - before).toBeLessThan(24)
  })

  test('after many unknown keys, a known one is served', async () => {
    const { attack, jwt } = await startWith(jwks)
    for (let i = 0; i < 20; i++) await attack({ jwt: forged(jwt, `guess-${i}`) })
    expect(await attack({ jwt: jwt() })).toMatchObject(vended({ grant: 'theirs' }))
  })

  test('a key that was withdrawn while its issuer cannot be reached is not replaced by nothing', async () => {
    const { attack, jwt, hostile } = await startWith(jwks)
    await attack({ jwt: jwt() })
    hostile.answer({ keys: response => void (response as ServerResponse).destroy() })
    expect(await attack({ jwt: jwt() })).toMatchObject(vended())
  })
})

test('an issuer that never answers keeps nobody else waiting', async () => {
  const { attack, jwt, signer } = await startWith(() => {})
  const hanging = attack({ jwt: jwt() })
  expect(await attack({ jwt: signer.jwt() })).toMatchObject(vended({ grant: 'ours' }))
  expect(await hanging).toMatchObject(unavailable())
})

test('a JWT that verifies with a key of its own choice does not exist', async () => {
  const { attack, hostile } = await startWith({ keys: [] })
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const header = { alg: 'EdDSA', jwk: publicKey.export({ format: 'jwk' }) }
  const claims = { ...createSigner().claims(), iss: hostile.url }
  const signed = `${encode(header)}.${encode(claims)}`
  expect(await attack({ jwt: `${signed}.${signatureOf(signed, privateKey)}` })).toMatchObject(
    unauthenticated(),
  )
})
