import { generateKeyPairSync, sign as signBytes } from 'node:crypto'
import fc from 'fast-check'
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { pinKeys } from '../../src/authentication/issuer-keys.ts'
import { createJwtScheme } from '../../src/authentication/jwt.ts'
import { checkClaims, RefusedClaims } from '../../src/authentication/jwt-claims.ts'
import { JetonError } from '../../src/errors.ts'

/** Whose claims were accepted, or why none were. */
type Verdict = { subject: string; claims: unknown } | { refused: string }

const ISSUER = 'https://issuer.example'
const NOW_SECONDS = 1_800_000_000
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const foreignKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const keys = pinKeys({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k' }] })
const trusted = { name: 'known', issuer: ISSUER, audience: 'jeton', keys }

/** Decodes and verifies by jose alone, whose time rules and required claims jeton must have. */
async function verdictByJose(jwt: string, now: number): Promise<Verdict> {
  const malformed = { refused: 'the credential is not a signed JWT' }
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(jwt) || !jwt.split('.').every(isCanonical)) return malformed
  try {
    const { alg } = decodeProtectedHeader(jwt)
    if (!alg || !ALGORITHMS.includes(alg))
      return { refused: `the JWT must be signed with one of ${ALGORITHMS.join(', ')}, Ed25519` }
    const { iss } = decodeJwt(jwt)
    if (typeof iss !== 'string') return { refused: 'the JWT has no "iss" claim' }
    if (iss !== ISSUER) return { refused: 'the issuer of the JWT is not trusted here' }
  } catch {
    return malformed
  }
  try {
    const { payload } = await jwtVerify(jwt, publicKey, {
      algorithms: ALGORITHMS,
      issuer: ISSUER,
      requiredClaims: ['aud', 'sub', 'exp'],
      clockTolerance: 60,
      currentDate: new Date(now),
    })
    const { subject, claims } = checkClaims(payload, { demands: trusted, now })
    return { subject, claims }
  } catch (cause) {
    return { refused: messageOf(cause) }
  }
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}

function messageOf(cause: unknown): string {
  if (cause instanceof RefusedClaims) return cause.message
  if (cause instanceof errors.JWSSignatureVerificationFailed)
    return 'the signature of the JWT does not verify'
  if (!(cause instanceof errors.JWTExpired || cause instanceof errors.JWTClaimValidationFailed)) throw cause
  const { claim, reason, payload } = cause
  if (reason === 'missing') return `the JWT has no "${claim}" claim`
  if (reason === 'invalid') return `the "${claim}" claim of the JWT is not valid`
  return claim === 'exp'
    ? `the JWT expired${dateText(' at ', payload.exp)}`
    : `the JWT is not valid yet${dateText(': not before ', payload.nbf)}`
}

function dateText(before: string, seconds: JWTPayload['exp']): string {
  const date = new Date(Number(seconds) * 1000)
  return Number.isNaN(date.getTime()) ? '' : `${before}${date.toISOString()}`
}

async function verdictByJeton(jwt: string, now: number): Promise<Verdict> {
  const clock = { now: () => now } as Parameters<typeof createJwtScheme>[0]['clock']
  try {
    const { issuer, subject, claims } = await createJwtScheme({ issuers: [trusted], clock }).authenticate(jwt)
    expect(issuer).toBe('known')
    return { subject, claims }
  } catch (cause) {
    if (!(cause instanceof JetonError) || cause.code !== 'unauthenticated') throw cause
    return { refused: cause.publicMessage }
  }
}

/** Mostly the first of them. */
const mostly = <T>(good: T, ...others: readonly T[]) =>
  fc.oneof({ arbitrary: fc.constant(good), weight: 12 }, { arbitrary: fc.constantFrom(...others), weight: 1 })

const around = (seconds: number) =>
  [-1, -0.5, 0, 0.5, 1].map(offset => String(NOW_SECONDS + seconds + offset))
const NO_TIMES = ['1e400', '-1e400', '1e300', '-1e300', '0', '1.5', '"1800000000"', 'null', 'true', '[1]']

/** Each claim as the text of its value; none if that is empty. */
const claimTexts = fc.record({
  iss: mostly(`"${ISSUER}"`, '', '7', 'null', '"https://other.example"', `["${ISSUER}"]`),
  aud: mostly('"jeton"', '', '"other"', '["other","jeton"]', 'null', '7', '[["jeton"]]', '{}'),
  sub: mostly('"someone"', '', '""', 'null', '7', '"é\\u0000"'),
  exp: mostly(String(NOW_SECONDS + 300), '', ...around(-60), ...around(86_400), ...NO_TIMES),
  iat: mostly('', String(NOW_SECONDS), ...around(60), ...NO_TIMES),
  nbf: mostly('', String(NOW_SECONDS), ...around(60), ...NO_TIMES),
  cnf: mostly('', '{}', 'null'),
  events: mostly('', '{}'),
  deep: mostly('', `${'['.repeat(31)}${']'.repeat(31)}`, `${'['.repeat(32)}${']'.repeat(32)}`),
  proto: mostly('', '{"sub":"admin","exp":4000000000}'),
})

const payloads = fc.oneof(
  {
    weight: 1,
    arbitrary: fc
      .subarray(['"aud":"jeton"', '"sub":"someone"', '"exp":4000000000'])
      .map(members => Buffer.from(`{${[`"iss":"${ISSUER}"`, ...members].join()}}`)),
  },
  {
    weight: 9,
    arbitrary: claimTexts.map(texts => {
      const members = Object.entries(texts).filter(([, text]) => text !== '')
      return Buffer.from(
        `{${members.map(([name, text]) => `"${name.replace('proto', '__proto__')}":${text}`).join()}}`,
      )
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...['[]', '7', 'null', '{', '"x"', '{}', '{"iss":"\\ud800"}', ''])
      .map(text => Buffer.from(text)),
  },
)

/** What may stand around a JSON text: a byte order mark, which readers of UTF-8 skip, and bytes that are not UTF-8. */
const framed = (bytes: Buffer, frame: string) =>
  frame === 'mark'
    ? Buffer.concat([Buffer.from('\ufeff'), bytes])
    : frame === 'invalid'
      ? Buffer.concat([bytes.subarray(0, -1), Buffer.from([0xff]), bytes.subarray(-1)])
      : bytes

const headers = mostly(
  ...([
    '{"alg":"ES256","kid":"k"}',
    '{"alg":"ES256"}',
    '{"alg":"none"}',
    '{"alg":"HS256","kid":"k"}',
  ] as const),
  ...['{"kid":"k"}', '[]', '{', 'null', '7', '{"alg":["ES256"]}', '{"alg":"ES256","alg":"none"}'],
).map(text => Buffer.from(text))

const frames = mostly('none', 'mark', 'invalid')
const spellings = mostly(
  'as it is',
  'padded',
  'a bit too many',
  'a character less',
  'a part more',
  'a space',
  'base64',
)

function respell(jwt: string, spelling: string): string {
  if (spelling === 'padded') return `${jwt}=`
  if (spelling === 'a bit too many') return `${jwt.slice(0, -1)}${jwt.endsWith('A') ? 'B' : 'R'}`
  if (spelling === 'a character less') return jwt.slice(0, -1)
  if (spelling === 'a part more') return `${jwt}.`
  if (spelling === 'a space') return jwt.replace('.', ' .')
  return spelling === 'base64' ? jwt.replaceAll('-', '+').replaceAll('_', '/') : jwt
}

const jwts = fc
  .record({ header: headers, payload: payloads, frame: frames, headerFrame: frames, spelling: spellings })
  .chain(parts =>
    fc.record({ parts: fc.constant(parts), signer: mostly('known', 'foreign', 'nobody', 'other bytes') }),
  )
  .map(({ parts: { header, payload, frame, headerFrame, spelling }, signer }) => {
    const input = [framed(header, headerFrame), framed(payload, frame)]
      .map(bytes => bytes.toString('base64url'))
      .join('.')
    const key = { key: signer === 'foreign' ? foreignKey : privateKey, dsaEncoding: 'ieee-p1363' } as const
    const signed = Buffer.from(signer === 'other bytes' ? `${input} ` : input)
    const signature = signer === 'nobody' ? '' : signBytes('sha256', signed, key).toString('base64url')
    return respell(`${input}.${signature}`, spelling)
  })

test('jeton accepts what jose does of good and broken JWTs, with the same claims, and refuses for the same reason', async () => {
  const seen = { accepted: 0, refused: new Set<string>() }
  await fc.assert(
    fc.asyncProperty(jwts, fc.nat({ max: 999 }), async (jwt, milliseconds) => {
      const now = NOW_SECONDS * 1000 + milliseconds
      const verdict = await verdictByJeton(jwt, now)
      expect(verdict).toEqual(await verdictByJose(jwt, now))
      if ('refused' in verdict) seen.refused.add(verdict.refused.replace(/[\d:.TZ-]+/g, ''))
      else seen.accepted++
    }),
    { numRuns: 1500 },
  )
  expect(seen.accepted).toBeGreaterThan(20)
  expect(seen.refused.size).toBeGreaterThan(10)
})
