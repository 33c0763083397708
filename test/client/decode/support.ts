import { randomBytes } from 'node:crypto'
import { Signer } from '@aws-sdk/rds-signer'

export const HOST = 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com'

export interface SignOptions {
  hostname?: string
  username?: string
  region?: string
  accessKeyId?: string
  sessionToken?: string | null
}

/** A token that AWS's own signer made now, and what of it is secret. */
export async function signWithAws({
  hostname = HOST,
  username = 'migrator',
  region = 'us-east-1',
  accessKeyId = 'ASIAQNZGKIQY56JQ7WML',
  sessionToken = randomBytes(750).toString('base64'),
}: SignOptions = {}): Promise<{ token: string; secrets: string[] }> {
  const token = await new Signer({
    hostname,
    port: 5432,
    region,
    username,
    credentials: {
      accessKeyId,
      secretAccessKey: randomBytes(30).toString('base64'),
      ...(sessionToken !== null && { sessionToken }),
    },
  }).getAuthToken()
  const signature = /X-Amz-Signature=([0-9a-f]{64})/.exec(token)?.[1] ?? ''
  return { token, secrets: [signature, ...(sessionToken === null ? [] : [sessionToken])] }
}

const WINDOW = 12

/** The piece of a secret that a text contains; undefined if it contains none of 12 characters or more. */
export function leakIn(text: string, secrets: readonly string[]): string | undefined {
  for (const secret of secrets)
    for (const form of [secret, encodeURIComponent(secret)])
      for (let at = 0; at + WINDOW <= form.length; at++) {
        const piece = form.slice(at, at + WINDOW)
        if (text.includes(piece)) return piece
      }
  return undefined
}
