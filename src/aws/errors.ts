/** The advice if no region is named; the SDK has no error name for it. */
export const NO_REGION = 'no region is configured: set AWS_REGION'

/** What to do about errors of jeton's own credentials; the same for every service. */
const CREDENTIAL_REMEDIES: ReadonlyMap<string, string> = new Map([
  ['UnrecognizedClientException', 'AWS does not know the credentials that jeton runs with: renew them'],
  ['InvalidSignatureException', 'AWS does not accept the credentials that jeton runs with: renew them'],
  ['ExpiredTokenException', 'the credentials that jeton runs with have expired: renew them'],
])

/** The parts of an SDK error that may be logged. */
export interface AwsErrorFacts {
  readonly name: string
  /** The system's code if no reply came, e.g. `ECONNREFUSED`. */
  readonly code?: string | undefined
  /** The HTTP status, if a reply came. */
  readonly status?: number | undefined
  readonly requestId?: string | undefined
}

/**
 * Returns the parts of an SDK error that may stand in a log or a record. Never its message: some of AWS's messages quote
 * canonical requests, with their session tokens.
 */
export function awsErrorFacts(cause: unknown): AwsErrorFacts {
  if (!(cause instanceof Error)) return { name: 'unknown error' }
  const { code, $metadata } = cause as {
    code?: unknown
    $metadata?: { httpStatusCode?: number; requestId?: string }
  }
  return {
    name: nameLike(cause.name) ?? 'Error',
    code: nameLike(code),
    status: $metadata?.httpStatusCode,
    requestId: nameLike($metadata?.requestId),
  }
}

/** Whether a service replied with this error: another attempt would get the same. */
export function isAwsReply(cause: unknown): boolean {
  return awsErrorFacts(cause).status !== undefined
}

/** Returns the facts in one line, e.g. `AccessDeniedException (400), request 4KBNV…`. */
export function describeAwsError(cause: unknown): string {
  const { name, code, status, requestId } = awsErrorFacts(cause)
  const nameAndCode = code === undefined || code === name ? name : `${name} ${code}`
  return `${nameAndCode}${status ? ` (${status})` : ''}${requestId ? `, request ${requestId}` : ''}`
}

/** The part of an SDK client that knows its region. */
export interface RegionalClient {
  readonly config: { readonly region: () => Promise<string> }
}

/** Returns the region that a client's calls go to; undefined if neither the client nor its environment names one. */
export async function findRegion(client: RegionalClient): Promise<string | undefined> {
  return client.config.region().catch(() => undefined)
}

export interface FailedCall {
  client: RegionalClient
  /** What failed, as the beginning of the line: `cannot use the KMS key alias/jeton`. */
  summary: string
  /** What an operator does about an error, by AWS's name of the error. */
  remedies: ReadonlyMap<string, string>
}

/**
 * Returns one line for operators about a failed call: the region, the error as `describeAwsError` does, and the remedy if
 * there is one.
 *
 *     cannot use the KMS key alias/jeton in us-east-1: NotFoundException (400), request 4KBNV…; there is no such key
 */
export async function describeFailedCall(
  cause: unknown,
  { client, summary, remedies }: FailedCall,
): Promise<string> {
  const region = await findRegion(client)
  if (region === undefined) return `${summary}: ${NO_REGION}`
  const { name } = awsErrorFacts(cause)
  const remedy = remedies.get(name) ?? CREDENTIAL_REMEDIES.get(name)
  return `${summary} in ${region}: ${describeAwsError(cause)}${remedy ? `; ${remedy}` : ''}`
}

/** Returns a text only if it looks like a name: the server wrote it, so it may contain anything. */
function nameLike(text: unknown): string | undefined {
  return typeof text === 'string' && /^[\w-]{1,100}$/.test(text) ? text : undefined
}
