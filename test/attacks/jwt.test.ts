import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { unauthenticated, vended } from './outcomes.ts'
import { encode, type Forgery, type Signer, signatureOf } from './signer.ts'
import { startTarget } from './target.ts'

/** RFC 8725, JSON Web Token Best Current Practices, item by item. The attacker has whatever keys it can make. */
type Forge = (signer: Signer) => string
type Rows = readonly (readonly [name: string, forge: Forge])[]

const signed =
  (forgery: Forgery): Forge =>
  signer =>
    signer.jwt(forgery)

function allRefused(rows: Rows, fields: object = {}): void {
  test.each(rows)('%s', async (_name, forge) => {
    const { signer, attack } = await startTarget()
    expect(await attack({ jwt: forge(signer) })).toMatchObject(unauthenticated(fields))
  })
}

test('the JWT that all forgeries below begin with gets a token', async () => {
  const { signer, attack } = await startTarget()
  const principal = { issuer: 'pinned', subject: 'job-1' }
  expect(await attack({ jwt: signer.jwt() })).toMatchObject(
    vended({ grant: 'deploy', principal: expect.objectContaining(principal) }),
  )
})

describe('3.1 Perform Algorithm Verification', () => {
  allRefused([
    ['alg none, without a signature', signed({ header: { alg: 'none' }, signature: '' })],
    ['alg nOnE, to pass a comparison by case', signed({ header: { alg: 'nOnE' }, signature: '' })],
    ['alg none, with a good signature', signed({ header: { alg: 'none' } })],
    ['HS256 with the public key in PEM as the secret', signer => hmac(signer, 'pem')],
    ['HS256 with the public key in DER as the secret', signer => hmac(signer, 'der')],
    ['an algorithm that is not that of the key', signed({ header: { alg: 'RS256' } })],
    ["another algorithm's key under this key's kid", signer => signer.jwt({ key: signer.keys.EdDSA })],
    ['no alg at all', signed({ header: { alg: undefined } })],
    ['alg as a list', signed({ header: { alg: ['ES256'] } })],
  ])
})

describe('3.2 Use Appropriate Algorithms', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const bitcoin = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
  allRefused([
    ['an RSA key of 1024 bits', signer => signer.jwt({ header: { alg: 'RS256', kid: 'RS256' }, key: weak })],
    ["RSA 1.5 encryption's name as the algorithm", signed({ header: { alg: 'RSA1_5' } })],
    ['ES256K on secp256k1', signed({ header: { alg: 'ES256K' }, key: bitcoin })],
    ['SHA-1', signed({ header: { alg: 'RS1' } })],
  ])
})

describe('3.3 Validate All Cryptographic Operations', () => {
  allRefused([
    ['an empty signature', signed({ signature: '' })],
    ["another JWT's signature", signer => spliced(signer)],
    [
      'a signature of zeros (psychic signatures, CVE-2022-21449)',
      signed({ signature: encode(Buffer.alloc(64)) }),
    ],
    ['a signature in DER', signer => derSignature(signer)],
    ['a truncated signature', signer => signer.jwt().slice(0, -8)],
    [
      'a signature by the wrong key',
      signed({ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }),
    ],
    ['a JWT inside a JWT (cty JWT)', signer => signer.jwt({ header: { cty: 'JWT' }, claims: signer.jwt() })],
    ['a detached payload', signer => signer.jwt().replace(/\..*\./, '..')],
    ['an unencoded payload (b64 false)', signed({ header: { b64: false, crit: ['b64'] } })],
  ])
})

describe('3.4 Validate Cryptographic Inputs', () => {
  allRefused([
    ['a key of its own in the header (jwk)', signer => withOwnKey(signer)],
    [
      'a point that is not on the curve, as epk',
      signed({ header: { epk: { kty: 'EC', crv: 'P-256', x: 'AQ', y: 'AQ' }, alg: 'ECDH-ES' } }),
    ],
    [
      'base64 with + and / instead of base64url',
      signer => signer.jwt({ claims: { more: '~~~???>>>' } }).replace(/[-_]/g, '+'),
    ],
    ['padding behind the signature', signer => `${signer.jwt()}==`],
    ['padding behind the header', signer => padded(signer, 0)],
    ['padding behind the claims', signer => padded(signer, 1)],
    ['a line break in the middle', signer => signer.jwt().replace('.', '.%0A')],
    ['claims that are not JSON', signed({ claims: 'iss=me' })],
    ['claims that are a list', signed({ claims: '[]' })],
    ['claims that are null', signed({ claims: 'null' })],
    ['a header that is not an object', signed({ header: '"ES256"' })],
    ['two parts', signer => signer.jwt().replace(/\.[^.]*$/, '')],
    ['four parts', signer => `${signer.jwt()}.x`],
    ['the JSON serialization', signer => encode({ payload: signer.jwt().split('.')[1], signatures: [] })],
  ])
})

describe('3.5 Ensure Cryptographic Keys Have Sufficient Entropy', () => {
  const guessed =
    (secret: string): Forge =>
    signer => {
      const [head] = [`${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(signer.claims())}`]
      return `${head}.${createHmac('sha256', secret)
        .update(head as string)
        .digest('base64url')}`
    }
  allRefused([
    ['HS256 with the secret "secret"', guessed('secret')],
    ['HS256 with an empty secret', guessed('')],
    ['HS256 with the audience as the secret', guessed('jeton')],
  ])
})

describe('3.6 Avoid Compression of Encryption Inputs', () => {
  allRefused([
    ['a compressed payload (zip DEF)', signed({ header: { zip: 'DEF', crit: ['zip'] } })],
    [
      'an encrypted JWT (JWE)',
      signer =>
        `${encode({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })}..${encode('iv')}.${signer.jwt().split('.')[1]}.${encode('tag')}`,
    ],
  ])
})

describe('3.7 Use UTF-8', () => {
  allRefused([
    [
      'claims in UTF-16',
      signer => signer.jwt({ claims: Buffer.from(JSON.stringify(signer.claims()), 'utf16le') }),
    ],
    [
      'claims with bytes that are no UTF-8',
      signer => signer.jwt({ claims: withBytes(signer, [0xff, 0xfe]) }),
    ],
    ['claims with an overlong slash', signer => signer.jwt({ claims: withBytes(signer, [0xc0, 0xaf]) })],
  ])
})

describe('3.8 Validate Issuer and Subject', () => {
  allRefused([
    ['an issuer that nobody configured', signed({ claims: { iss: 'https://evil.example' } })],
    ['the issuer with a slash at its end', signer => signer.jwt({ claims: { iss: `${signer.issuer}/` } })],
    ['the issuer in capitals', signer => signer.jwt({ claims: { iss: signer.issuer.toUpperCase() } })],
    ['a list of issuers with the right one', signer => signer.jwt({ claims: { iss: [signer.issuer] } })],
    ['no issuer', signed({ claims: { iss: undefined } })],
    ['the name of the issuer in the configuration', signed({ claims: { iss: 'pinned' } })],
    ['the issuer of API keys', signed({ claims: { iss: 'apiKey', sub: 'report' } })],
    ['no subject', signed({ claims: { sub: undefined } })],
    ['an empty subject', signed({ claims: { sub: '' } })],
    ['a subject that is a number', signed({ claims: { sub: 1 } })],
    ['a subject that is a list', signed({ claims: { sub: ['job-1'] } })],
  ])
})

describe('3.9 Use and Validate Audience', () => {
  allRefused([
    ["another service's JWT", signed({ claims: { aud: 'billing' } })],
    ['no audience', signed({ claims: { aud: undefined } })],
    ['an audience that contains the right one', signed({ claims: { aud: 'jeton-staging' } })],
    ['an empty list', signed({ claims: { aud: [] } })],
    ['the right audience as an object', signed({ claims: { aud: { jeton: true } } })],
    ['the right audience in capitals', signed({ claims: { aud: 'JETON' } })],
  ])
})

describe('3.10 Do Not Trust Received Claims', () => {
  allRefused([
    ['a jku that leads to its own keys', signer => withHeader(signer, { jku: 'https://evil.example/keys' })],
    [
      'an x5u that leads to its own certificate',
      signer => withHeader(signer, { x5u: 'https://evil.example/x' }),
    ],
    ['an x5c with its own certificate', signer => withHeader(signer, { x5c: ['MIIB'] })],
    ['a kid with a path', signed({ header: { kid: '../../../../dev/null' } })],
    ['a kid with SQL', signed({ header: { kid: "x' UNION SELECT 'k'--" } })],
    ['a kid that every object has', signed({ header: { kid: '__proto__' } })],
    ['a kid that is an object', signed({ header: { kid: { $ne: null } } })],
    ['a critical header that nobody knows', signed({ header: { crit: ['x'], x: 1 } })],
    ['an expired JWT', signed({ claims: { exp: seconds(-120), iat: seconds(-900) } })],
    ['exp as text', signed({ claims: { exp: String(seconds(500)) } })],
    ['exp as a date', signed({ claims: { exp: new Date(Date.now() + 500_000).toISOString() } })],
    ['no exp', signed({ claims: { exp: undefined } })],
    ['a JWT of tomorrow', signed({ claims: { nbf: seconds(86_000), exp: seconds(86_300) } })],
    ['nbf as text', signed({ claims: { nbf: 'now' } })],
  ])

  // a leaked JWT of many years is an API key that nobody can withdraw
  allRefused([
    ['a life of two days', signed({ claims: { exp: seconds(2 * 86_400) } })],
    ['a life of a century', signed({ claims: { iat: seconds(0), exp: seconds(100 * 365 * 86_400) } })],
    [
      'a life that is hidden by a later iat',
      signed({ claims: { iat: seconds(3 * 86_400), exp: seconds(3 * 86_400 + 60) } }),
    ],
  ])
})

describe('3.11 Use Explicit Typing', () => {
  allRefused([
    ['a logout token', signed({ header: { typ: 'logout+jwt' } })],
    ['a security event', signed({ header: { typ: 'secevent+jwt' } })],
    ['a proof of possession (DPoP)', signed({ header: { typ: 'dpop+jwt' } })],
    ['a client authentication', signed({ header: { typ: 'client-authentication+jwt' } })],
    ['an introspection reply', signed({ header: { typ: 'token-introspection+jwt' } })],
    ['a type with its media prefix', signed({ header: { typ: 'application/secevent+jwt' } })],
    ['a type in capitals', signed({ header: { typ: 'LOGOUT+JWT' } })],
    ['a type that is a list', signed({ header: { typ: ['JWT'] } })],
  ])

  test.each(['JWT', 'jwt', 'at+jwt', 'application/at+jwt', undefined])(
    'typ %s is one that callers have',
    async typ => {
      const { signer, attack } = await startTarget()
      expect(await attack({ jwt: signer.jwt({ header: { typ } }) })).toMatchObject(vended())
    },
  )
})

describe('3.12 Use Mutually Exclusive Validation Rules for Different Kinds of JWTs', () => {
  allRefused([
    [
      'a token that is bound to a key (cnf jkt) without its proof',
      signed({ claims: { cnf: { jkt: 'x'.repeat(43) } } }),
    ],
    [
      'a token that is bound to a certificate (cnf x5t#S256)',
      signed({ claims: { cnf: { 'x5t#S256': 'x' } } }),
    ],
    ['a token that is bound to an empty confirmation', signed({ claims: { cnf: {} } })],
  ])

  test('a JWT after the scheme of API keys', async () => {
    const { signer, attack } = await startTarget()
    expect(await attack({ authorization: `ApiKey ${signer.jwt()}` })).toMatchObject(unauthenticated())
  })

  test('an API key after the scheme of JWTs', async () => {
    const { apiKey, attack } = await startTarget()
    expect(await attack({ authorization: `Bearer ${apiKey}` })).toMatchObject(unauthenticated())
  })
})

test('a member that comes twice: what the signature covers is what is read', async () => {
  const { signer, attack } = await startTarget()
  const claims = JSON.stringify(signer.claims()).replace('{', '{"team":"payroll","team":"orders",')
  expect((await attack({ jwt: signer.jwt({ claims }) })).status).not.toBe(500)
})

const seconds = (fromNow: number) => Math.floor(Date.now() / 1000) + fromNow

function hmac(signer: Signer, type: 'pem' | 'der'): string {
  const text = `${encode({ alg: 'HS256', kid: 'RS256' })}.${encode(signer.claims())}`
  const exported = createPublicKey(signer.keys.RS256).export({ type: 'spki', format: type } as {
    type: 'spki'
    format: 'pem'
  })
  return `${text}.${createHmac('sha256', exported).update(text).digest('base64url')}`
}

function spliced(signer: Signer): string {
  const [, , signature] = signer.jwt().split('.')
  return signer.jwt({ claims: { sub: 'admin' }, signature: signature as string })
}

function derSignature(signer: Signer): string {
  const [header, claims, signature = ''] = signer.jwt().split('.')
  const half = (from: number) =>
    Buffer.concat([Buffer.from([2, 33, 0]), Buffer.from(signature, 'base64url').subarray(from, from + 32)])
  const both = Buffer.concat([half(0), half(32)])
  return `${header}.${claims}.${encode(Buffer.concat([Buffer.from([0x30, both.length]), both]))}`
}

function withOwnKey(signer: Signer): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return signer.jwt({ header: { jwk: publicKey.export({ format: 'jwk' }) }, key: privateKey })
}

function withHeader(signer: Signer, header: object): string {
  return signer.jwt({ header, key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey })
}

/** Pads one part to a multiple of four characters, and signs the padded text: only what is not base64url is wrong. */
function padded(signer: Signer, part: 0 | 1): string {
  // one byte more than a multiple of three, so that there is something to pad
  const grow = (value: object, bytes = 0): object =>
    JSON.stringify({ ...value, x: 'x'.repeat(bytes) }).length % 3 === 1
      ? { ...value, x: 'x'.repeat(bytes) }
      : grow(value, bytes + 1)
  const header = { alg: 'ES256', kid: 'ES256' }
  const parts = [
    encode(part === 0 ? grow(header) : header),
    encode(part === 1 ? grow(signer.claims()) : signer.claims()),
  ]
  const text = parts.map((one, i) => (i === part ? `${one}==` : one)).join('.')
  return `${text}.${signatureOf(text, signer.keys.ES256)}`
}

function withBytes(signer: Signer, bytes: readonly number[]): Buffer {
  const [before = '', after = ''] = JSON.stringify({ ...signer.claims(), note: '#' }).split('#')
  return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)])
}
