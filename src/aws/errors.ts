/** What may be told of an error of the AWS SDK. */
export interface AwsErrorFacts {
  readonly name: string
  /** The machine's code where no reply came, e.g. `ECONNREFUSED`. */
  readonly code?: string | undefined
  /** The HTTP status, where a reply came. */
  readonly status?: number | undefined
  readonly requestId?: string | undefined
}

/**
 * Takes from an error of the AWS SDK what may stand in a log or a record. Never its message: AWS quotes canonical requests,
 * with their session tokens, in some of them.
 */
export function awsErrorFacts(cause: unknown): AwsErrorFacts {
  if (!(cause instanceof Error)) return { name: 'unknown error' }
  const { code, $metadata } = cause as {
    code?: unknown
    $metadata?: { httpStatusCode?: number; requestId?: string }
  }
  return {
    name: wordOf(cause.name) ?? 'Error',
    code: wordOf(code),
    status: $metadata?.httpStatusCode,
    requestId: wordOf($metadata?.requestId),
  }
}

/** The facts in one line, e.g. `AccessDeniedException (400), request 4KBNV…`. */
export function describeAwsError(cause: unknown): string {
  const { name, code, status, requestId } = awsErrorFacts(cause)
  const named = code === undefined || code === name ? name : `${name} ${code}`
  return `${named}${status ? ` (${status})` : ''}${requestId ? `, request ${requestId}` : ''}`
}

/** Only what looks like a name passes: these come from whoever answered. */
function wordOf(text: unknown): string | undefined {
  return typeof text === 'string' && /^[\w-]{1,100}$/.test(text) ? text : undefined
}
