import { type KeyObject, sign as signBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { pinKeys } from '../../src/authentication/issuer-keys.ts'
import { createJwtScheme } from '../../src/authentication/jwt.ts'
import { refusal, startTestIssuer } from './support.ts'

const base64url = (text: string) => Buffer.from(text).toString('base64url')

/** A scheme that trusts one issuer, named github, and its keys as they are now. */
async function startScheme(options: { maxLifetimeSeconds?: number } = {}) {
  const { issuer, clock } = await startTestIssuer()
  const trusted = {
    name: 'github',
    issuer: issuer.url,
    audience: 'jeton',
    keys: pinKeys(issuer.jwks()),
    ...options,
  }
  const scheme = createJwtScheme({ issuers: [trusted], clock })
  const accepts = async (claims: Record<string, unknown>, header?: Record<string, unknown>) =>
    (await scheme.authenticate(await issuer.sign(claims, header ? { header } : {}))).subject
  const refuses = async (claims: Record<string, unknown>, header?: Record<string, unknown>) =>
    refusal(scheme.authenticate(await issuer.sign(claims, header ? { header } : {})))
  return { issuer, clock, scheme, accepts, refuses, now: clock.now() / 1000 }
}

/** A scheme, and a way to sign a header and a payload whose text `JSON.stringify` would not write. */
async function startRawSigner() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const { clock } = await startTestIssuer()
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k' }
  const keys = pinKeys({ keys: [jwk] })
  const issuers = [{ name: 'raw', issuer: 'https://raw.example', audience: 'jeton', keys }]
  const scheme = createJwtScheme({ issuers, clock })
  const { KeyObject } = await import('node:crypto')
  const key: KeyObject = KeyObject.from(privateKey)
  const sign = (payload: string, header = '{"alg":"ES256","kid":"k"}') => {
    const input = `${base64url(header)}.${base64url(payload)}`
    const signature = signBytes('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
    return `${input}.${signature.toString('base64url')}`
  }
  const exp = clock.now() / 1000 + 300
  const members = `"iss":"https://raw.example","aud":"jeton","sub":"someone"`
  return { clock, scheme, sign, exp, members }
}

describe('the type of a JWT (RFC 8725, 3.11)', () => {
  test.each([undefined, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/jwt', 'Application/AT+jwt', 'JOSE'])(
    'is accepted if it is %j',
    async typ => {
      const { accepts } = await startScheme()
      expect(await accepts({}, { typ })).toBe('someone')
    },
  )

  test.each([
    ...['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'kb+jwt', 'token-introspection+jwt', 'oauth-authz-req+jwt'],
    ...['application/logout+jwt', 'LOGOUT+JWT', 'text/jwt', 'application/application/jwt', 'JWE', 'jwt ', ''],
    ...[null, 7, ['JWT'], { JWT: 1 }],
  ])('is refused if it is %j', async typ => {
    const { refuses } = await startScheme()
    const error = await refuses({}, { typ })
    expect(error.code).toBe('unauthenticated')
    expect(error.publicMessage).toMatch(/^the "typ" of the JWT is that of another kind of token/)
    expect(error.reason).toContain(typeof typ === 'string' ? `is "${typ}"` : 'is not text')
  })

  test('lets no typ forge a line of a log', async () => {
    const { refuses } = await startScheme()
    const { reason } = await refuses({}, { typ: `x"\n\u202e${'y'.repeat(500)}` })
    expect(reason).toContain('"x\\"\\n\\u202eyyy')
    expect(reason?.length).toBeLessThan(200)
  })
})

describe('a JWT for another purpose is refused', () => {
  test.each([
    ['is bound to a key', { cnf: { jkt: 'x' } }, 'bound to a key ("cnf")'],
    ['is bound to a certificate', { cnf: { 'x5t#S256': 'x' } }, 'bound to a key ("cnf")'],
    ['has an empty cnf', { cnf: null }, 'bound to a key ("cnf")'],
    [
      'tells of a logout',
      { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
      'tells of events',
    ],
  ])('if it %s', async (_what, claims, message) => {
    const { refuses } = await startScheme()
    const error = await refuses(claims)
    expect(error.code).toBe('unauthenticated')
    expect(error.publicMessage).toContain(message)
    expect(error.reason).toMatch(/^issuer github: the JWT/)
  })
})

describe('what changes how a JWS is read is refused', () => {
  test.each([
    ['crit', { crit: ['urn:x'], 'urn:x': 1 }, '"crit"'],
    ['crit with b64', { crit: ['b64'], b64: true }, '"crit"'],
    ['b64 alone', { b64: false }, '"b64"'],
    ['compression', { zip: 'DEF' }, '"zip"'],
    ['a nested JWT', { cty: 'JWT' }, 'contains another JWT'],
    ['a nested JWT, written in full', { cty: 'application/jwt' }, 'contains another JWT'],
    ['a kid that is not text', { kid: 7 }, '"kid"'],
    ['a kid that is a list', { kid: ['key-1'] }, '"kid"'],
  ])('%s', async (_what, header, message) => {
    const { scheme, sign, exp, members } = await startRawSigner()
    const jwt = sign(`{${members},"exp":${exp}}`, JSON.stringify({ alg: 'ES256', kid: 'k', ...header }))
    const error = await refusal(scheme.authenticate(jwt))
    expect(error.code).toBe('unauthenticated')
    expect(error.publicMessage).toContain(message)
  })

  test('a payload that is not encoded', async () => {
    const { scheme, exp, members } = await startRawSigner()
    const header = base64url('{"alg":"ES256","kid":"k","crit":["b64"],"b64":false}')
    const error = await refusal(scheme.authenticate(`${header}.{${members},"exp":${exp}}.AAAA`))
    expect(error.publicMessage).toBe('the credential is not a signed JWT')
  })
})

describe('a JWT has one spelling: three parts of base64url (RFC 7515, 7.1)', () => {
  const spellings: [string, (parts: [string, string, string], jwt: string) => string][] = [
    ['padding', (_parts, jwt) => `${jwt}==`],
    ['padding of the header', ([header, ...others]) => [`${header}=`, ...others].join('.')],
    ['a space before it', (_parts, jwt) => ` ${jwt}`],
    ['a space after it', (_parts, jwt) => `${jwt} `],
    ['a line break', (_parts, jwt) => `${jwt}\n`],
    ['a space within', ([header, payload, signature]) => `${header}.${payload} .${signature}`],
    ['base64 instead of base64url', (_parts, jwt) => `${jwt.slice(0, -4)}+/+/`],
    ['a fourth part', (_parts, jwt) => `${jwt}.AAAA`],
    ['five parts', (_parts, jwt) => `${jwt}.AAAA.AAAA`],
    ['two parts', ([header, payload]) => `${header}.${payload}`],
    ['an empty header', ([, payload, signature]) => `.${payload}.${signature}`],
    ['an empty payload', ([header, , signature]) => `${header}..${signature}`],
    ['a character too many', ([header, payload, signature]) => `${header}.${payload}.${signature}AAA`],
    ['bits in the last character that mean nothing', (_parts, jwt) => nextSpelling(jwt)],
  ]
  test.each(spellings)('%s is refused', async (_what, respell) => {
    const { issuer, scheme } = await startScheme()
    const jwt = await issuer.sign()
    const [header = '', payload = '', signature = ''] = jwt.split('.')
    await scheme.authenticate(jwt)
    const error = await refusal(scheme.authenticate(respell([header, payload, signature], jwt)))
    expect(error.code).toBe('unauthenticated')
    expect(error.publicMessage).toBe('the credential is not a signed JWT')
  })
})

/** 64 bytes of signature leave 4 of the last character's 6 bits without a meaning. */
function nextSpelling(jwt: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return jwt.slice(0, -1) + alphabet.charAt(alphabet.indexOf(jwt.at(-1) ?? 'A') + 1)
}

describe('the lifetime of a JWT', () => {
  const DAY = 86_400

  test('is a day at most unless configured', async () => {
    const { accepts, refuses, now } = await startScheme()
    expect(await accepts({ iat: now, exp: now + DAY })).toBe('someone')
    const error = await refuses({ iat: now, exp: now + DAY + 1 })
    expect(error.code).toBe('unauthenticated')
    expect(error.publicMessage).toBe('the JWT is valid for 86401 s, and at most 86400 s are accepted')
    expect(error.reason).toBe('issuer github: the JWT is valid for 86401 s, and at most 86400 s are accepted')
  })

  test('is what is configured for its issuer', async () => {
    const { accepts, refuses, now } = await startScheme({ maxLifetimeSeconds: 600 })
    expect(await accepts({ iat: now - 500, exp: now + 100 })).toBe('someone')
    expect((await refuses({ iat: now - 501, exp: now + 100 })).code).toBe('unauthenticated')
    const days = await startScheme({ maxLifetimeSeconds: 2 * DAY })
    expect(await days.accepts({ iat: now, exp: now + 2 * DAY })).toBe('someone')
  })

  test('is counted from now if there is no iat, or if it is in the future', async () => {
    const { accepts, refuses, now } = await startScheme()
    expect(await accepts({ iat: undefined, exp: now + DAY })).toBe('someone')
    expect((await refuses({ iat: undefined, exp: now + DAY + 1 })).publicMessage).toContain('is valid for')
    // 60 s of tolerance for the issuer's clock
    expect(await accepts({ iat: now + 60, exp: now + 60 + DAY })).toBe('someone')
    expect((await refuses({ iat: now + 61, exp: now + 61 + DAY })).publicMessage).toContain('is valid for')
    const inAYear = now + 365 * DAY
    expect((await refuses({ iat: inAYear, exp: inAYear + 300 })).publicMessage).toContain('is valid for')
  })

  test.each([
    ['exp', '1e400'],
    ['exp', '"4000000000"'],
    ['exp', 'null'],
    ['exp', '[4000000000]'],
    ['iat', '1e400'],
    ['iat', '-1e400'],
    ['iat', '"now"'],
    ['iat', 'null'],
    ['nbf', '-1e400'],
    ['nbf', 'true'],
  ])('has no sense if %s is %s, which is refused', async (claim, value) => {
    const { scheme, sign, exp, members } = await startRawSigner()
    const times = claim === 'exp' ? `"exp":${value}` : `"exp":${exp},"${claim}":${value}`
    const error = await refusal(scheme.authenticate(sign(`{${members},${times}}`)))
    expect(error.code).toBe('unauthenticated')
    expect(error.publicMessage).toBe(`the "${claim}" claim of the JWT is not valid`)
  })

  test.each(['-1', '-1e300', '0'])('is over if exp is %s', async exp => {
    const { scheme, sign, members } = await startRawSigner()
    const error = await refusal(scheme.authenticate(sign(`{${members},"exp":${exp}}`)))
    expect(error.publicMessage).toMatch(/^the JWT expired/)
  })

  test('has not begun if nbf is infinite', async () => {
    const { scheme, sign, exp, members } = await startRawSigner()
    const error = await refusal(scheme.authenticate(sign(`{${members},"exp":${exp},"nbf":1e400}`)))
    expect(error.publicMessage).toBe('the JWT is not valid yet')
  })
})

describe('claims of any shape', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

  test('are accepted 32 levels deep, and refused deeper, without an overflow', async () => {
    const { scheme, sign, exp, members } = await startRawSigner()
    // the object of the claims is a level itself
    const jwt = (levels: number) => sign(`{${members},"exp":${exp},"deep":${nested(levels - 1)}}`)
    expect((await scheme.authenticate(jwt(32))).subject).toBe('someone')
    for (const levels of [33, 3000, 6000]) {
      const error = await refusal(scheme.authenticate(jwt(levels)))
      expect(error.code).toBe('unauthenticated')
      expect(error.reason).toBe('issuer raw: the claims of the JWT are nested more than 32 deep')
    }
    const objects = sign(`{${members},"exp":${exp},"deep":${'{"a":'.repeat(1500)}1${'}'.repeat(1500)}}`)
    expect((await refusal(scheme.authenticate(objects))).reason).toContain('nested more than 32 deep')
    const header = sign(`{${members},"exp":${exp}}`, `{"alg":"ES256","kid":"k","deep":${nested(3000)}}`)
    expect((await scheme.authenticate(header)).subject).toBe('someone')
  })

  test('are accepted: many, with long names, with long texts and lists', async () => {
    const { scheme, sign, exp, members } = await startRawSigner()
    const many = Array.from({ length: 1000 }, (_, i) => `"c${i}":1`).join()
    const shapes = [
      `{${members},"exp":${exp},${many}}`,
      `{${members},"exp":${exp},"${'n'.repeat(9000)}":1}`,
      `{${members},"exp":${exp},"list":[${'1,'.repeat(4000)}1]}`,
      `{"iss":"https://raw.example","aud":[${'"a",'.repeat(2500)}"jeton"],"sub":"someone","exp":${exp}}`,
    ]
    for (const shape of shapes) expect((await scheme.authenticate(sign(shape))).subject).toBe('someone')
    const sub = 's'.repeat(9000)
    const long = sign(`{"iss":"https://raw.example","aud":"jeton","sub":"${sub}","exp":${exp}}`)
    expect((await scheme.authenticate(long)).subject).toBe(sub)
  })

  test('are members like any other if they are named as what objects inherit', async () => {
    const { scheme, sign, exp, members } = await startRawSigner()
    const { claims, subject } = await scheme.authenticate(
      sign(`{${members},"exp":${exp},"__proto__":{"sub":"admin"},"constructor":1,"toString":2}`),
    )
    expect(subject).toBe('someone')
    expect(Object.keys(claims)).toEqual(expect.arrayContaining(['__proto__', 'constructor', 'toString']))
    expect(Object.getPrototypeOf(claims)).toBe(Object.prototype)
    const inherited = sign(`{"iss":"https://raw.example","aud":"jeton","exp":${exp},"__proto__":{"sub":"x"}}`)
    expect((await refusal(scheme.authenticate(inherited))).publicMessage).toBe('the JWT has no "sub" claim')
  })

  test('count as they are written last, if one is there twice (RFC 7519, 4)', async () => {
    const { scheme, sign, exp, members } = await startRawSigner()
    const { subject, claims } = await scheme.authenticate(sign(`{${members},"exp":${exp},"sub":"last"}`))
    expect([subject, claims.sub]).toEqual(['last', 'last'])
    const twoTypes = sign(
      `{${members},"exp":${exp}}`,
      '{"alg":"ES256","kid":"k","typ":"JWT","typ":"dpop+jwt"}',
    )
    expect((await refusal(scheme.authenticate(twoTypes))).code).toBe('unauthenticated')
  })
})

describe('Ed25519 and EdDSA name one algorithm (RFC 9864)', () => {
  async function startEd25519(jwkAlg: string | undefined) {
    const { publicKey, privateKey } = await generateKeyPair('Ed25519', { extractable: true })
    const { clock } = await startTestIssuer()
    const { alg: _, ...jwk } = (await exportJWK(publicKey)) as JWK
    const keys = pinKeys({ keys: [{ ...jwk, kid: 'k', ...(jwkAlg !== undefined && { alg: jwkAlg }) }] })
    const issuers = [{ name: 'ed', issuer: 'https://ed.example', audience: 'jeton', keys }]
    const scheme = createJwtScheme({ issuers, clock })
    const { KeyObject } = await import('node:crypto')
    const key: KeyObject = KeyObject.from(privateKey)
    const sign = (alg: string) => {
      const exp = clock.now() / 1000 + 300
      const claims = { iss: 'https://ed.example', aud: 'jeton', sub: 'someone', exp }
      const input = `${base64url(JSON.stringify({ alg, kid: 'k' }))}.${base64url(JSON.stringify(claims))}`
      return `${input}.${signBytes(null, Buffer.from(input), key).toString('base64url')}`
    }
    return { scheme, sign }
  }

  test.each([undefined, 'EdDSA', 'Ed25519'])('for a key whose alg is %j', async jwkAlg => {
    const { scheme, sign } = await startEd25519(jwkAlg)
    for (const alg of ['EdDSA', 'Ed25519'])
      expect((await scheme.authenticate(sign(alg))).subject).toBe('someone')
  })

  test.each(['ES256', 'Ed448', 'RS256', 'none'])('but not %s', async alg => {
    const { scheme, sign } = await startEd25519(alg)
    expect((await refusal(scheme.authenticate(sign('EdDSA')))).code).toBe('unauthenticated')
    const another = await startEd25519('EdDSA')
    expect((await refusal(another.scheme.authenticate(another.sign(alg)))).code).toBe('unauthenticated')
  })

  test('and neither is Ed448', async () => {
    const { generateKeyPairSync } = await import('node:crypto')
    const { publicKey, privateKey } = generateKeyPairSync('ed448')
    const { clock } = await startTestIssuer()
    const exp = clock.now() / 1000 + 300
    for (const alg of ['EdDSA', 'Ed25519', 'Ed448']) {
      const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg }
      const keys = pinKeys({ keys: [jwk] })
      const scheme = createJwtScheme({
        issuers: [{ name: 'ed', issuer: 'https://ed.example', audience: 'jeton', keys }],
        clock,
      })
      const claims = { iss: 'https://ed.example', aud: 'jeton', sub: 'someone', exp }
      const input = `${base64url(JSON.stringify({ alg, kid: 'k' }))}.${base64url(JSON.stringify(claims))}`
      const jwt = `${input}.${signBytes(null, Buffer.from(input), privateKey).toString('base64url')}`
      expect((await refusal(scheme.authenticate(jwt))).code).toBe('unauthenticated')
    }
  })
})
