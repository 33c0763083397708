import { shorten } from '../lib/printable.ts'

/** Longer than any message with two long ARNs. */
const MAX_LENGTH = 400

const ARN = String.raw`arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{0,12}:[\w+=,.@:/*-]+`
const DENIED = String.raw`User: ${ARN} is not authorized to perform: [a-z0-9-]+:\w+`
const ON_RESOURCE = ` on resource: "?${ARN}"?`
const WHY = String.raw`(?: because no [a-z -]+ policy allows the [a-z0-9-]+:\w+ action| with an explicit deny in an? [a-z -]+ policy(?:: ${ARN})?)?`

/**
 * The messages of AWS that may be shown, each in its whole length. Others quote requests, with their signatures and session
 * tokens (`SignatureDoesNotMatch`), or values that callers or the configuration chose.
 */
const SHOWN = [
  `${DENIED}(?:${ON_RESOURCE})?${WHY}`,
  String.raw`Not authorized to perform sts:\w+`,
  'The security token included in the request is (?:invalid|expired)',
  String.raw`Signature (?:expired|not yet current): \w+ is (?:now earlier|still later) than \w+ \(\w+ [+-] \d+ min\.\)`,
  String.raw`Packed (?:size of session tags|policy) consumes \d+% of allotted space(?:, please use smaller policy)?`,
  String.raw`STS is not activated in this region for account: ?\d{12}\. Your account administrator can activate STS in this region using the IAM Console`,
  String.raw`The requested DurationSeconds exceeds the [\w ]+`,
  `${ARN} is (?:invalid|disabled|pending deletion)`,
  `(?:Alias|Key) '?${ARN}'? (?:is not found|does not exist)`,
  String.raw`Requested resource not found(?:: Table: [\w.-]+ not found)?`,
  'Rate exceeded',
].map(pattern => new RegExp(String.raw`^${pattern}\.?$`))

/** An access key id, a security token by name, or text as random as a key: no name in an ARN should look like that. */
const SECRET_LIKE = [
  /(?:A3T|AKIA|ASIA)[A-Z0-9]{12}/,
  /security-token|signature=/i,
  /(?=[^ ]*[A-Z])(?=[^ ]*[a-z])(?=[^ ]*\d)[A-Za-z0-9+/=]{40}/,
]

/**
 * Returns the message of one of AWS's errors if it is of a kind that holds no secret, cut to 400 characters; else undefined.
 * It is printable ASCII.
 */
export function shownMessage(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || cause.message.length > 10 * MAX_LENGTH) return undefined
  const { message } = cause
  const isShown = SHOWN.some(pattern => pattern.test(message))
  const isSecretLike = SECRET_LIKE.some(pattern => pattern.test(message))
  return isShown && !isSecretLike ? shorten(message, MAX_LENGTH) : undefined
}

/** What AWS said that it does not allow. */
export interface Denial {
  readonly action: string
  /** What is not allowed to be touched; undefined if AWS does not say. */
  readonly resource: string | undefined
  /** Which kind of policy, if AWS says so. */
  readonly why: 'caller lacks it' | 'denied explicitly' | undefined
}

/** Returns what a message of an `AccessDenied` says; undefined if it has another form. */
export function parseDenial(cause: unknown): Denial | undefined {
  if (!(cause instanceof Error)) return undefined
  const message = cause.message.slice(0, 10 * MAX_LENGTH)
  const action = /(?:not|Not) authorized to perform:? ([a-z0-9-]+:\w+)/.exec(message)?.[1]
  if (action === undefined) return undefined
  const resource = / on resource: "?([!-~]+?)"?\.?(?= because | with an explicit |$)/.exec(message)?.[1]
  if (message.includes('with an explicit deny')) return { action, resource, why: 'denied explicitly' }
  const isCaller = message.includes('because no identity-based policy')
  return { action, resource, why: isCaller ? 'caller lacks it' : undefined }
}
