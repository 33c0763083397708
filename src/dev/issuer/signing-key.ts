import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose'

export type Algorithm = 'ES256' | 'RS256' | 'EdDSA'

/** A key that an issuer signs JWTs with. */
export interface SigningKey {
  readonly privateKey: CryptoKey
  /** The public key, as an issuer publishes it. */
  readonly publicKey: JWK
}

/** Makes a new key, which is never written anywhere. */
export async function createSigningKey(kid: string, algorithm: Algorithm = 'ES256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm)
  return { privateKey, publicKey: { ...(await exportJWK(publicKey)), kid, alg: algorithm } }
}
