import type { IncomingMessage } from 'node:http'
import { canonicalQuery, parseAmzDate, parseCredential, sha256, signature } from './sigv4.ts'

/** An answer that AWS gives instead of credentials. */
export interface Fault {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** STS refuses requests signed further from its own time than this. */
const SKEW_MS = 15 * 60_000

/**
 * Checks the SigV4 Authorization header of a request with the given body; gives what is wrong with it, or the region it
 * was signed for. Session tokens are unknown to it: the base credentials are those of a user.
 */
export function verifyHeader(
  request: IncomingMessage,
  given: { body: string; accessKeyId: string; secret: string; now: number },
): { region: string } | Fault {
  const header = request.headers.authorization
  if (!header) return refused('MissingAuthenticationToken', 'Request is missing Authentication Token')
  const [, credentialText = '', signedNames = '', given64 = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(header) ??
    []
  const credential = parseCredential(credentialText)
  const names = signedNames.split(';')
  const amzDate = String(request.headers['x-amz-date'])
  if (!credential || !names.includes('host') || !names.includes('x-amz-date'))
    return refused('IncompleteSignature', 'The Authorization header is not of the form that SigV4 wants')
  if (credential.accessKeyId !== given.accessKeyId)
    return refused('InvalidClientTokenId', 'The security token included in the request is invalid.')

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
    sha256(given.body),
  ].join('\n')
  const wanted = signature({ secret: given.secret, scope, amzDate, canonicalRequest })
  if (wanted !== given64 || scope.service !== 'sts' || !amzDate.startsWith(scope.day))
    return refused('SignatureDoesNotMatch', 'The request signature we calculated does not match')

  const offMs = given.now - parseAmzDate(amzDate)
  if (!(Math.abs(offMs) <= SKEW_MS))
    return refused(
      'SignatureDoesNotMatch',
      `Signature ${offMs > 0 ? 'expired' : 'not yet current'}: ${amzDate}`,
    )
  return { region: scope.region }
}

function refused(code: string, message: string): Fault {
  return { status: 403, code, message }
}
