import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { JWK } from 'jose'
import { newApiKey } from '../../src/authentication/api-key.ts'
import type { Choice } from './choice.ts'
import { asHeaderValue, hostileText, misspelt } from './hostile-text.ts'

export const FUZZ_ISSUER = 'https://fuzz.example'

/** What callers prove themselves with, and what the server must know for that. */
export interface Credentials {
  readonly jwks: { readonly keys: readonly JWK[] }
  readonly apiKeySha256: string
  /** Returns the value of an `Authorization` header; undefined for none. */
  pick(choice: Choice): string | undefined
  /** The secrets in what `pick` returns: no reply may have them. */
  readonly secrets: readonly string[]
}

const KID = 'fuzz'
const DAY_SECONDS = 86_400
/** So deep that a function that calls itself for each level runs out of stack. */
const DEPTH = 3000

/** Makes a key, and credentials of each kind with it: those that verify, and those that must not. */
export function createCredentials(now: number): Credentials {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const apiKey = newApiKey()
  const iat = Math.floor(now / 1000)
  const header = { alg: 'ES256', kid: KID }
  const claims = { iss: FUZZ_ISSUER, aud: 'jeton', sub: 'fuzz', iat, exp: iat + DAY_SECONDS / 2 }
  const jwt = (changedClaims: object = {}, changedHeader: object = {}, key: KeyObject = privateKey) =>
    signJwt({ ...header, ...changedHeader }, { ...claims, ...changedClaims }, key)

  const valid = jwt()
  const nested = signJwt(
    header,
    `{"deep":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)},${JSON.stringify(claims).slice(1)}`,
    privateKey,
  )
  const verified = [`Bearer ${valid}`, `bearer ${valid}`, `ApiKey ${apiKey.key}`]
  const signedOdd = [
    jwt({ exp: iat - 3600 }),
    jwt({ nbf: iat + 7200 }),
    jwt({ aud: 'other' }),
    jwt({ aud: ['other', 'jeton'] }),
    jwt({ iss: 'https://unknown.example' }),
    jwt({ iss: [FUZZ_ISSUER] }),
    jwt({ sub: undefined }),
    jwt({ sub: { a: 1 } }),
    jwt({ exp: 'soon' }),
    jwt({ exp: 1e300 }),
    jwt({ padding: 'x'.repeat(20_000) }),
    jwt({ many: Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`k${i}`, i])) }),
    jwt({}, { kid: 'unknown' }),
    jwt({}, { kid: undefined }),
    jwt({}, { alg: 'none' }),
    jwt({}, { alg: 'HS256' }),
    jwt({}, { alg: 'ES512' }),
    jwt({}, { crit: ['exp'] }),
    jwt({}, { b64: false, crit: ['b64'] }),
    jwt({}, { typ: 'logout+jwt' }),
    jwt({}, { jku: 'http://127.0.0.1:1/keys', x5u: 'http://127.0.0.1:1/' }),
    jwt({}, {}, other),
    nested,
  ].map(text => `Bearer ${text}`)

  return {
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KID, alg: 'ES256' } as JWK] },
    apiKeySha256: apiKey.sha256,
    secrets: [valid, valid.split('.')[2] as string, apiKey.key],
    pick(choice) {
      if (choice.chance(0.5)) return choice.oneOf(verified)
      if (choice.chance(0.4)) return choice.oneOf(signedOdd)
      return choice.oneOf<() => string | undefined>([
        () => undefined,
        () => '',
        () => 'Bearer',
        () => 'Bearer ',
        () => `Bearer  ${valid}`,
        () => `Bearer ${valid} ${valid}`,
        () => `Bearer ${valid}=`,
        () => `Bearer ${valid}, ApiKey ${apiKey.key}`,
        () => `${valid}`,
        () => `Basic ${Buffer.from('a:b').toString('base64')}`,
        () => `DPoP ${valid}`,
        () => `ApiKey ${misspelt(apiKey.key, choice)}`,
        () => `Bearer ${misspelt(valid, choice)}`,
        () => `Bearer ${valid.slice(0, choice.integer(1, valid.length))}`,
        () => `Bearer ${valid}.${valid}`,
        () => `Bearer ${'.'.repeat(choice.integer(1, 5000))}`,
        () => `Bearer ${asHeaderValue(hostileText(choice))}`,
        () => asHeaderValue(hostileText(choice)),
      ])()
    },
  }
}

function signJwt(header: object, claims: object | string, key: KeyObject): string {
  const encode = (value: object | string) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const text = `${encode(header)}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}
