import { exportJWK, generateKeyPair, type JSONWebKeySet } from 'jose'

/** The public keys of an issuer, made now. */
export async function newJwks(): Promise<JSONWebKeySet> {
  const { publicKey } = await generateKeyPair('ES256')
  return { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] }
}
