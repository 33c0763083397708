import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { sha256Hex } from '../lib/hash.ts'
import { lifetimeOf, TOKEN_LIFETIME_MS } from './lifetime.ts'
import type { RoleSession, Token } from './token.ts'
import type { TokenKey } from './token-key.ts'

/**
 * Returns a signed RDS IAM token: a SigV4-presigned `rds-db` connect request without its scheme. `at` (ms) is rounded down
 * to the second, as SigV4 dates are, so one session signs the same token throughout a second. A session that ends before
 * the token would is accepted: `expiresAt` is then the session's.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html
 */
export async function signToken(
  key: TokenKey,
  { session, at }: { session: RoleSession; at: number },
): Promise<Token> {
  const { host, port, region } = key.database
  const issuedAt = Math.floor(at / 1000) * 1000
  const { accessKeyId, secretAccessKey, sessionToken } = session
  const signer = new SignatureV4({
    service: 'rds-db',
    region,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    sha256: Sha256,
  })
  const presigned = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname: host,
      port,
      path: '/',
      query: { Action: 'connect', DBUser: key.user },
      headers: { host: `${host}:${port}` },
    },
    { expiresIn: TOKEN_LIFETIME_MS / 1000, signingDate: new Date(issuedAt) },
  )
  const text = `${host}:${port}/?${queryText(presigned.query ?? {})}`
  return {
    text,
    fingerprint: sha256Hex(text),
    identity: session.identity,
    ...lifetimeOf({ issuedAt, sessionExpiresAt: session.expiresAt }),
  }
}

function queryText(query: Record<string, string | string[] | null>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(String(value))}`)
    .join('&')
}

/** Percent-encodes all but the unreserved characters of RFC 3986, 2.3, as SigV4 does. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
