import { policyRemedy } from './denial.ts'
import { commonCause, NO_REGION } from './error-causes.ts'
import { awsErrorFacts } from './error-facts.ts'
import { shownMessage } from './error-messages.ts'

/** Returns the facts in one line, e.g. `AccessDeniedException (400), request 4KBNV…`. */
export function describeAwsError(cause: unknown): string {
  const { name, code, status, requestId, proxy } = awsErrorFacts(cause)
  const nameAndCode = code === undefined || code === name ? name : `${name} ${code}`
  const through = proxy ? ` through the proxy ${proxy}` : ''
  return `${nameAndCode}${status ? ` (${status})` : ''}${requestId ? `, request ${requestId}` : ''}${through}`
}

/** What an operator does about errors that only the service can explain, by AWS's name of the error. */
export type Remedies = ReadonlyMap<string, string>

/**
 * Returns the facts, the cause with its remedy if it is known, and AWS's message if it is of a kind that holds no secret:
 *
 *     AccessDeniedException (400), request 4KBN…; jeton's own role needs dynamodb:PutItem; AWS says: User: arn:… is not …
 */
export function explainAwsError(cause: unknown, remedies: Remedies = new Map()): string {
  const { name } = awsErrorFacts(cause)
  return explainWith(cause, policyRemedy(cause) ?? commonCause(cause)?.remedy ?? remedies.get(name))
}

/** Returns the same with another remedy, or without one. */
export function explainWith(cause: unknown, remedy: string | undefined): string {
  const message = shownMessage(cause)
  const parts = [describeAwsError(cause), remedy, message && `AWS says: ${message}`]
  return parts.filter(part => part !== undefined).join('; ')
}

/** The part of an SDK client that knows its region. */
export interface RegionalClient {
  readonly config: { readonly region: () => Promise<string> }
}

/** Returns the region that a client's calls go to; undefined if neither the client nor its environment names one that is valid. */
export async function findRegion(client: RegionalClient): Promise<string | undefined> {
  return client.config.region().catch(() => undefined)
}

export interface FailedCall {
  client: RegionalClient
  /** What failed, as the beginning of the line: `cannot use the KMS key alias/jeton`. */
  summary: string
  remedies?: Remedies
}

/**
 * Returns one line for operators about a failed call: the region, and the error as `explainAwsError` does.
 *
 *     cannot use the KMS key alias/jeton in us-east-1: NotFoundException (400), request 4KBNV…; there is no such key
 */
export async function describeFailedCall(
  cause: unknown,
  { client, summary, remedies }: FailedCall,
): Promise<string> {
  const region = await findRegion(client)
  if (region === undefined) return `${summary}: ${NO_REGION}`
  return `${summary} in ${region}: ${explainAwsError(cause, remedies)}`
}
