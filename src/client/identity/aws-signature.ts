import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import type { AwsAccess } from './aws-access.ts'

export interface FormPost {
  url: URL
  /** `application/x-www-form-urlencoded`. */
  body: string
}

/** Returns the headers of a POST to STS, with the signature (SigV4) that is good around the time `at` (ms). */
export async function signStsRequest(
  { url, body }: FormPost,
  { credentials, region, at }: AwsAccess & { at: number },
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 })
  const signed = await signer.sign(
    {
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: { host: url.host, 'content-type': 'application/x-www-form-urlencoded' },
      body,
    },
    { signingDate: new Date(at) },
  )
  return signed.headers
}
