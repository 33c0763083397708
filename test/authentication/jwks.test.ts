import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { exportJWK } from 'jose'
import { expect, test } from 'vitest'
import { readJwks } from '../../src/authentication/jwks.ts'

const jwkOf = (key: KeyObject, members: object) => ({ ...key.export({ format: 'jwk' }), ...members })
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey

/** Several keys of one `kid`, keys without `kid` or `alg`, and keys that verify nothing. */
const SET = {
  keys: [
    jwkOf(rsa(), { kid: 'a', alg: 'RS256' }),
    jwkOf(rsa(), { kid: 'b' }),
    jwkOf(rsa(), { kid: 'c', use: 'enc' }),
    jwkOf(ec(), { kid: 'a' }),
    jwkOf(ec(), { kid: 'a', key_ops: ['verify'] }),
    jwkOf(ec(), { kid: 'd', key_ops: ['sign'] }),
    jwkOf(ec(), {}),
    jwkOf(generateKeyPairSync('ed25519').publicKey, { kid: 'a', alg: 'EdDSA' }),
  ],
}
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']
const KIDS = [undefined, '', 'a', 'b', 'c', 'd', 'ES256', 'RS256 a', '__proto__']
const headers = ALGORITHMS.flatMap(alg => KIDS.map(kid => (kid === undefined ? { alg } : { alg, kid })))

test('a key set that was asked for any other keys finds those that one never asked finds', async () => {
  const asked = readJwks(SET)
  let found = 0
  for (const header of [...headers, ...headers.toReversed()]) {
    const [keys, expected] = [await asked.findKeys(header), await readJwks(SET).findKeys(header)]
    expect(await Promise.all(keys.map(exportJWK)), JSON.stringify(header)).toEqual(
      await Promise.all(expected.map(exportJWK)),
    )
    expect(keys.map(({ algorithm }) => algorithm)).toEqual(expected.map(({ algorithm }) => algorithm))
    found += keys.length
  }
  expect(found).toBeGreaterThan(20)
})
