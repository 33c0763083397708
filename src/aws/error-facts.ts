import { proxyOf } from '../lib/proxy-failure.ts'

/** The parts of an SDK error that may be logged. */
export interface AwsErrorFacts {
  readonly name: string
  /** The system's code if no reply came, e.g. `ECONNREFUSED`. */
  readonly code?: string | undefined
  /** The HTTP status, if a reply came. */
  readonly status?: number | undefined
  readonly requestId?: string | undefined
  /** The proxy that the request went through and that no reply came from: `HOST:PORT`. */
  readonly proxy?: string | undefined
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
    proxy: proxyOf(cause),
  }
}

/** Whether a service replied with this error: another attempt would get the same. */
export function isAwsReply(cause: unknown): boolean {
  return awsErrorFacts(cause).status !== undefined
}

/** Returns a text only if it looks like a name: the server wrote it, so it may contain anything. */
function nameLike(text: unknown): string | undefined {
  return typeof text === 'string' && /^[\w-]{1,100}$/.test(text) ? text : undefined
}
