import { shorten } from '../lib/printable.ts'
import { POLICY_KIND } from './denial.ts'

/** Longer than any message with two long ARNs. */
const MAX_LENGTH = 400
/** What is longer still is not looked at. */
const MAX_READ = 2000

const ARN = String.raw`arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{0,12}:[\w+=,.@:/*-]+`
const TIME = String.raw`\d{8}T\d{6}Z`
const DENIED = String.raw`User: ${ARN} is not authorized to perform: [a-z0-9-]+:\w+`
const ON_RESOURCE = ` on resource: "?${ARN}"?`
const NOT_ALLOWED = String.raw` because no ${POLICY_KIND} allows the [a-z0-9-]+:\w+ action`
const FORBIDDEN = ` with an explicit deny(?: in (?:an?|the) ${POLICY_KIND}(?: transitively through an? ${POLICY_KIND})?(?:: ${ARN})?)?`

/**
 * The messages of AWS that may be shown, each in its whole length. Others quote requests, with their signatures and session
 * tokens (`SignatureDoesNotMatch`), or values that callers or the configuration chose.
 */
const SHOWN = [
  `${DENIED}(?:${ON_RESOURCE})?(?:${NOT_ALLOWED}|${FORBIDDEN})?`,
  String.raw`Not authorized to perform sts:\w+`,
  'The security token included in the request is (?:invalid|expired)',
  String.raw`Signature (?:expired|not yet current): ${TIME} is (?:now earlier|still later) than ${TIME} \(${TIME} [+-] \d+ min\.\)`,
  String.raw`Packed (?:size of session tags|policy) consumes \d+% of allotted space(?:, please use smaller policy)?`,
  String.raw`STS is not activated in this region for account: ?\d{12}\. Your account administrator can activate STS in this region using the IAM Console`,
  String.raw`The requested DurationSeconds exceeds the [\w ]{1,80}`,
  `${ARN} is (?:invalid|disabled|pending deletion)`,
  `(?:Alias|Key) '?${ARN}'? (?:is not found|does not exist)`,
  String.raw`Requested resource not found(?:: Table: [\w.-]+ not found)?`,
  'Rate exceeded',
].map(pattern => new RegExp(String.raw`^${pattern}\.?$`))

/** How ECS names its sessions, by a task, and IAM Roles Anywhere, by a certificate: as random as a key, and no secret. */
const SESSION_NUMBER = /\/[0-9a-f]{16,40}(?=[ "]|$)/g
/** An access key id, a security token by name, or text as random as a key: no other name in an ARN should look like that. */
const SECRET_LIKE = [
  /(?:A3T|AKIA|ASIA)[A-Z0-9]{12}/,
  /security-token|signature=/i,
  // as long as no part of a name is, and as no path is written
  /[A-Za-z0-9]{65}|\/\//,
  /(?=[^ ]*[A-Z])(?=[^ ]*[a-z])(?=[^ ]*\d)[A-Za-z0-9+/=]{40}/,
]

/**
 * Returns the message of one of AWS's errors if it is of a kind that holds no secret, cut to 400 characters; else undefined.
 * It is printable ASCII.
 */
export function shownMessage(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || cause.message.length > MAX_READ) return undefined
  const { message } = cause
  const isShown = SHOWN.some(pattern => pattern.test(message))
  const names = message.replace(SESSION_NUMBER, '')
  const isSecretLike = SECRET_LIKE.some(pattern => pattern.test(names))
  return isShown && !isSecretLike ? shorten(message, MAX_LENGTH) : undefined
}
