import { parseDenial } from './denial.ts'
import { type AwsErrorFacts, awsErrorFacts } from './error-facts.ts'

/** The advice if no region is named; the SDK has no error name for it. */
export const NO_REGION = 'no region is configured: set AWS_REGION'

/** Why a call to AWS failed, whatever the service. */
export interface ErrorCause {
  /**
   * What is at fault: `own`, what jeton itself runs with (credentials, clock, settings), which no other instance need have;
   * `network`, the way to AWS; `aws`, AWS itself, which passes.
   */
  readonly fault: 'own' | 'network' | 'aws'
  /** The cause and the remedy, in words for operators. */
  readonly remedy: string
}

const own = (remedy: string): ErrorCause => ({ fault: 'own', remedy })
const network = (remedy: string): ErrorCause => ({ fault: 'network', remedy })
const aws = (remedy: string): ErrorCause => ({ fault: 'aws', remedy })

const UNKNOWN_KEY = own(
  'AWS does not know the access key that jeton runs with: it was deleted or switched off, is of another partition, or is temporary and lacks its AWS_SESSION_TOKEN',
)
const WRONG_SIGNATURE = own(
  "the secret key is not that of the access key, a proxy changes requests, or the machine's clock is wrong (run NTP)",
)
const WRONG_CLOCK = own("the machine's clock is wrong: run NTP")
const EXPIRED = own(
  'the credentials that jeton runs with have expired: renew them; those in AWS_SESSION_TOKEN need a restart, those of a role or in a file are looked for again',
)
const BROKEN_TOKEN = own('the session token that jeton runs with is broken: check AWS_SESSION_TOKEN')
const NOT_SIGNED = own(
  'the request arrived without its whole signature: a proxy removes the Authorization header, or the credentials contain a space or line break',
)
const NO_SUBSCRIPTION = own('the AWS account of jeton is not activated for this service: sign up, or ask AWS')
const NO_CREDENTIALS = own(
  'jeton finds no AWS credentials of its own: neither keys in the environment, nor the profile (AWS_PROFILE, AWS_CONFIG_FILE), nor a role of the container, pod or instance',
)
const NO_SSO = own('the SSO session of the profile has expired: run aws sso login, or give jeton a role')
const NO_FILE = own(
  'a file with credentials cannot be read: check AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CONFIG_FILE and who may read them',
)
const NO_WEB_IDENTITY = own(
  "AWS does not accept the web identity of jeton's pod: check the OIDC provider, the audience and the trust policy of the pod's role",
)
const NO_OWN_ROLE = own(
  "AWS refuses jeton its own role, that of its profile or pod: check that role's trust policy and the credentials before it",
)
const THROTTLED = aws(
  'AWS throttles; it passes by itself. If it lasts, find out who else calls from this account',
)
const FAILING = aws('AWS fails; it passes by itself. If it lasts, look at https://health.aws.amazon.com')
const NO_NAME = network(
  'the name of the endpoint is not found: check DNS, AWS_REGION, AWS_ENDPOINT_URL, and HTTPS_PROXY if there is no other way out',
)
const NO_CONNECTION = network(
  'AWS cannot be reached: check routes, firewalls and VPC endpoints, and HTTPS_PROXY if there is no other way out',
)
const NO_REPLY = network(
  'no reply came in time: check routes, firewalls, VPC endpoints and proxies, and whether the region is far',
)
const UNTRUSTED = network(
  'the certificate of the endpoint is not trusted: if a proxy inspects TLS, name its CA in NODE_EXTRA_CA_CERTS',
)
const NOT_VALID_NOW = network("the certificate of the endpoint has expired, or the machine's clock is wrong")
const OTHER_NAME = network('the certificate is for another name: AWS_ENDPOINT_URL or a proxy leads elsewhere')
const NO_TLS = network('what answers there speaks no TLS: check AWS_ENDPOINT_URL and HTTPS_PROXY')
const NOT_AWS = network(
  'something else than AWS answered, such as a proxy: check HTTPS_PROXY, NO_PROXY and AWS_ENDPOINT_URL',
)
const NO_PROXY_CREDENTIALS = network(
  'the proxy does not accept its user or password: check those in HTTPS_PROXY',
)
const PROXY_FORBIDS = network(
  'the proxy forbids this host: allow it there, or name it in NO_PROXY if jeton can reach it directly',
)
const PROXY_REFUSES = network('the proxy cannot reach AWS: ask whoever runs it')
const NO_PROXY_NAME = network('the name of the proxy is not found: check HTTPS_PROXY and DNS')
const PROXY_SILENT = network(
  'the proxy does not answer, or nothing behind it does: check that it runs and that HTTPS_PROXY names it',
)

/**
 * By AWS's name of the error, or by the system's code. Each service spells them in its own way.
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 */
const CAUSES = new Map<string, ErrorCause>([
  ...each(UNKNOWN_KEY, 'InvalidClientTokenId', 'UnrecognizedClientException', 'InvalidAccessKeyId'),
  ...each(WRONG_SIGNATURE, 'SignatureDoesNotMatch', 'InvalidSignatureException'),
  ...each(WRONG_CLOCK, 'RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'),
  ...each(EXPIRED, 'ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'),
  ...each(BROKEN_TOKEN, 'InvalidToken'),
  ...each(NOT_SIGNED, 'MissingAuthenticationToken', 'MissingAuthenticationTokenException'),
  ...each(NOT_SIGNED, 'IncompleteSignature', 'IncompleteSignatureException', 'ERR_INVALID_CHAR'),
  ...each(NO_SUBSCRIPTION, 'OptInRequired', 'SubscriptionRequiredException', 'NotSignedUp'),
  ...each(NO_CREDENTIALS, 'CredentialsProviderError', 'ProviderError', 'TokenProviderError'),
  ...each(NO_FILE, 'ENOENT', 'EACCES', 'EISDIR'),
  ...each(NO_WEB_IDENTITY, 'InvalidIdentityToken', 'InvalidIdentityTokenException', 'IDPRejectedClaim'),
  ...each(NO_WEB_IDENTITY, 'IDPRejectedClaimException', 'IDPCommunicationError'),
  ...each(THROTTLED, 'Throttling', 'ThrottlingException', 'ThrottledException', 'RequestThrottled'),
  ...each(
    THROTTLED,
    'RequestLimitExceeded',
    'TooManyRequestsException',
    'SlowDown',
    'LimitExceededException',
  ),
  ...each(THROTTLED, 'ProvisionedThroughputExceededException', 'BandwidthLimitExceeded'),
  ...each(FAILING, 'InternalFailure', 'InternalError', 'InternalServerError', 'ServiceUnavailable'),
  ...each(FAILING, 'KMSInternalException', 'DependencyTimeoutException', 'KeyUnavailableException'),
  ...each(NO_NAME, 'ENOTFOUND', 'EAI_AGAIN'),
  ...each(NO_CONNECTION, 'ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EPIPE'),
  ...each(NO_REPLY, 'TimeoutError', 'AbortError', 'RequestTimeout'),
  ...each(UNTRUSTED, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_UNTRUSTED'),
  ...each(UNTRUSTED, 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'),
  ...each(UNTRUSTED, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
  ...each(NOT_VALID_NOW, 'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'),
  ...each(OTHER_NAME, 'ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'),
  ...each(NO_TLS, 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER'),
])

function each(cause: ErrorCause, ...names: string[]): [string, ErrorCause][] {
  return names.map(name => [name, cause])
}

/** Returns why a call failed if that has nothing to do with what was called; undefined for what only the service knows. */
export function commonCause(cause: unknown): ErrorCause | undefined {
  const facts = awsErrorFacts(cause)
  return (
    causeByMessage(cause, facts) ??
    causeByProxy(facts) ??
    CAUSES.get(facts.name) ??
    CAUSES.get(facts.code ?? '') ??
    causeByStatus(facts)
  )
}

/** Whether AWS refused a call for the credentials that it was signed with: others, from where these came, may be good. */
export function areCredentialsRefused(cause: unknown): boolean {
  const found = commonCause(cause)
  return found === EXPIRED || found === UNKNOWN_KEY || found === BROKEN_TOKEN
}

/** For what the SDK tells apart in its messages alone. */
function causeByMessage(cause: unknown, { name }: AwsErrorFacts): ErrorCause | undefined {
  const message = cause instanceof Error ? cause.message : ''
  if (message === 'Region is missing') return own(NO_REGION)
  if (message.startsWith('Region not accepted')) return own('AWS_REGION is not the name of a region')
  if (/ProviderError$/.test(name) && /\bsso\b/i.test(message)) return NO_SSO
  const action = parseDenial(cause)?.action
  if (action === 'sts:AssumeRoleWithWebIdentity') return NO_WEB_IDENTITY
  // by the SDK, for jeton's own credentials: for a database's role, jeton asks which refusal it is before it asks here
  return action === 'sts:AssumeRole' ? NO_OWN_ROLE : undefined
}

/** The same codes mean the proxy, not AWS, if a request went through one and no reply came. */
function causeByProxy({ name, code = '', proxy }: AwsErrorFacts): ErrorCause | undefined {
  if (code === 'PROXY_ANSWERED_407') return NO_PROXY_CREDENTIALS
  if (code === 'PROXY_ANSWERED_403') return PROXY_FORBIDS
  if (code.startsWith('PROXY_ANSWERED_')) return PROXY_REFUSES
  if (proxy === undefined) return undefined
  const direct = CAUSES.get(name) ?? CAUSES.get(code)
  if (direct === NO_NAME) return NO_PROXY_NAME
  return direct === NO_CONNECTION || direct === NO_REPLY ? PROXY_SILENT : direct
}

/** The SDK calls an error `Unknown`, or names no code, if the reply is none of AWS's. */
function causeByStatus({ name, status = 0, requestId }: AwsErrorFacts): ErrorCause | undefined {
  const isNameless = /^(?:Unknown|UnknownError|Error|SyntaxError)$/.test(name)
  if (status > 0 && isNameless && requestId === undefined) return NOT_AWS
  if (status === 429) return THROTTLED
  return status >= 500 ? FAILING : undefined
}
