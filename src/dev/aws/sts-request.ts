import type { IncomingMessage } from 'node:http'
import { canonicalQuery, parseAmzDate, parseCredential, sha256, signature } from './sigv4.ts'

/** An error response of AWS. */
export interface AwsError {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** STS refuses requests signed further from its own time than this. */
const MAX_SKEW_MS = 15 * 60_000

/**
 * Verifies the SigV4 Authorization header of a request with the given body. Returns the region it was signed for, or AWS's
 * error. Does not know session tokens: the base credentials are those of a user.
 */
export function verifySignature(
  request: IncomingMessage,
  expected: { body: string; accessKeyId: string; secret: string; now: number },
): { region: string } | AwsError {
  const header = request.headers.authorization
  if (!header) return forbidden('MissingAuthenticationToken', 'Request is missing Authentication Token')
  const [, credentialText = '', signedNames = '', requestSignature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(header) ??
    []
  const credential = parseCredential(credentialText)
  const names = signedNames.split(';')
  const amzDate = String(request.headers['x-amz-date'])
  if (!credential || !names.includes('host') || !names.includes('x-amz-date'))
    return forbidden('IncompleteSignature', 'The Authorization header is not in the form of SigV4')
  if (credential.accessKeyId !== expected.accessKeyId)
    return forbidden('InvalidClientTokenId', 'The security token included in the request is invalid.')

  const { scope } = credential
  const canonicalRequest = [
    request.method,
    new URL(request.url ?? '/', 'http://sts').pathname,
    canonicalQuery(new URL(request.url ?? '/', 'http://sts').searchParams),
    ...names.map(
      name =>
        `${name}:${String(request.headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}`,
    ),
    '',
    signedNames,
    sha256(expected.body),
  ].join('\n')
  const computed = signature({ secret: expected.secret, scope, amzDate, canonicalRequest })
  if (computed !== requestSignature || scope.service !== 'sts' || !amzDate.startsWith(scope.day))
    return forbidden('SignatureDoesNotMatch', 'The request signature we calculated does not match')

  const skewMs = expected.now - parseAmzDate(amzDate)
  if (!(Math.abs(skewMs) <= MAX_SKEW_MS))
    return forbidden(
      'SignatureDoesNotMatch',
      `Signature ${skewMs > 0 ? 'expired' : 'not yet current'}: ${amzDate}`,
    )
  return { region: scope.region }
}

function forbidden(code: string, message: string): AwsError {
  return { status: 403, code, message }
}
