import { canonicalQuery, parseAmzDate, parseCredential, sha256, signature } from './sigv4.ts'
import type { StsSession } from './sts-session.ts'

/** The RDS endpoint that tokens are signed for; a test's database listens elsewhere. */
export interface SignedEndpoint {
  readonly host: string
  readonly port: number
  readonly region: string
  readonly resourceId: string
}

/** Where the verifier looks up the role session that signed. */
export interface Sessions {
  session(accessKeyId: string): StsSession | undefined
}

export type VerificationResult =
  | { readonly ok: true; readonly identity: string; readonly reason?: undefined }
  | { readonly ok: false; readonly reason: string; readonly identity?: undefined }

/** Decides whether a login is accepted, by its user name and its password. */
export type LoginCheck = (login: {
  user: string
  token: string
}) => VerificationResult | Promise<VerificationResult>

/** AWS refuses signatures from further in the future than this. */
const MAX_AHEAD_MS = 5 * 60_000
const MAX_EXPIRES_SECONDS = 900
const PARAMETERS = [
  'Action',
  'DBUser',
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
]

/** Returns the check that a test's database makes at each login to one endpoint. */
export function createRdsVerifier(options: {
  endpoint: SignedEndpoint
  sts: Sessions
  now?: () => number
}): LoginCheck {
  const { endpoint, sts, now = Date.now } = options
  return ({ user, token }) => verifyToken({ token, user, endpoint, sts, now: now() })
}

/**
 * Returns whether RDS would accept `token` from `user` at `now` (ms): the identity it logs in as, or the check that failed.
 * The signature is computed again from the session's secret. A session without a session policy is refused, which is stricter
 * than RDS: there the role's own permissions decide, which no stand-in knows. It does not throttle.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export function verifyToken(login: {
  token: string
  user: string
  endpoint: SignedEndpoint
  sts: Sessions
  now: number
}): VerificationResult {
  const { endpoint, user } = login
  const queryAt = login.token.indexOf('/?')
  const signedHost = login.token.slice(0, Math.max(queryAt, 0))
  const parameters = parseQuery(login.token.slice(queryAt + 2))
  if (queryAt < 0 || !parameters) return refuse('not a token')
  if (signedHost !== `${endpoint.host}:${endpoint.port}`) return refuse('signed for another endpoint')
  for (const name of PARAMETERS) if (!parameters.has(name)) return refuse(`${name} is missing`)
  const parameter = (name: string) => parameters.get(name) ?? ''

  if (parameter('Action') !== 'connect') return refuse('Action is not connect')
  if (parameter('DBUser') !== user) return refuse('signed for another user')
  if (parameter('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') return refuse('unknown algorithm')
  if (parameter('X-Amz-SignedHeaders') !== 'host') return refuse('signed headers are not host alone')
  const amzDate = parameter('X-Amz-Date')
  const credential = parseCredential(parameter('X-Amz-Credential'))
  if (!credential || !amzDate.startsWith(`${credential.scope.day}T`)) return refuse('broken credential')
  if (credential.scope.service !== 'rds-db') return refuse('signed for another service')
  if (credential.scope.region !== endpoint.region) return refuse('signed for another region')
  const session = login.sts.session(credential.accessKeyId)
  if (session?.token !== parameter('X-Amz-Security-Token')) return refuse('unknown credentials')

  const canonicalRequest = [
    'GET',
    '/',
    canonicalQuery([...parameters].filter(([name]) => name !== 'X-Amz-Signature')),
    `host:${signedHost}`,
    '',
    'host',
    sha256(''),
  ].join('\n')
  const expected = signature({ secret: session.secret, scope: credential.scope, amzDate, canonicalRequest })
  if (expected !== parameter('X-Amz-Signature')) return refuse('wrong signature')

  const signedAt = parseAmzDate(amzDate)
  const seconds = /^\d{1,6}$/.test(parameter('X-Amz-Expires'))
    ? Number(parameter('X-Amz-Expires'))
    : Number.NaN
  if (!(seconds >= 1 && seconds <= MAX_EXPIRES_SECONDS)) return refuse('X-Amz-Expires is not 1 to 900')
  if (!(signedAt - login.now <= MAX_AHEAD_MS)) return refuse('signed in the future')
  if (login.now >= signedAt + seconds * 1000) return refuse('token expired')
  if (login.now >= session.expiresAt) return refuse('session expired')
  if (!allows(session, endpoint, user)) return refuse('session policy does not allow it')
  return { ok: true, identity: session.arn }
}

const refuse = (reason: string): VerificationResult => ({ ok: false, reason })

/** Returns the decoded parameters, or undefined if one is malformed or repeated. */
function parseQuery(text: string): Map<string, string> | undefined {
  const parameters = new Map<string, string>()
  for (const part of text.split('&')) {
    const [, name, value] = /^([^=]+)=([^=]*)$/.exec(part) ?? []
    if (name === undefined || value === undefined) return undefined
    try {
      if (parameters.has(decodeURIComponent(name))) return undefined
      parameters.set(decodeURIComponent(name), decodeURIComponent(value))
    } catch {
      return undefined
    }
  }
  return parameters
}

/** Ignores wildcards and conditions: a session policy must name the one database user, as jeton promises. */
function allows(session: StsSession, { region, resourceId }: SignedEndpoint, user: string): boolean {
  if (session.policy === undefined) return false
  const [, partition, , , account] = session.roleArn.split(':')
  const resource = `arn:${partition}:rds-db:${region}:${account}:dbuser:${resourceId}/${user}`
  const { Statement } = JSON.parse(session.policy) as { Statement?: unknown }
  const statements = list(Statement) as { Effect?: unknown; Action?: unknown; Resource?: unknown }[]
  const matching = statements.filter(
    ({ Action, Resource }) => list(Action).includes('rds-db:connect') && list(Resource).includes(resource),
  )
  return matching.length > 0 && matching.every(({ Effect }) => Effect === 'Allow')
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])
