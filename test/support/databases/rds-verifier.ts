import { canonicalQuery, parseAmzDate, parseCredential, sha256, signature } from '../aws/sigv4.ts'
import type { Session } from '../aws/sts.ts'

/** One RDS endpoint, as tokens are signed for it; a test's database may really listen elsewhere. */
export interface SignedEndpoint {
  readonly host: string
  readonly port: number
  readonly region: string
  readonly resourceId: string
}

/** Where the judge looks up who signed. */
export interface Sessions {
  session(accessKeyId: string): Session | undefined
}

export type Verdict =
  | { readonly ok: true; readonly identity: string; readonly reason?: undefined }
  | { readonly ok: false; readonly reason: string; readonly identity?: undefined }

/** What a database asks about a login: the user named and the password given. */
export type LoginCheck = (login: { user: string; token: string }) => Verdict | Promise<Verdict>

/** AWS refuses what seems to come from further ahead than this. */
const AHEAD_MS = 5 * 60_000
const LONGEST_SECONDS = 900
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

/** The check that a test's database makes at each login: `judge` for one endpoint. */
export function judgeFor(options: {
  endpoint: SignedEndpoint
  sts: Sessions
  now?: () => number
}): LoginCheck {
  const { endpoint, sts, now = Date.now } = options
  return ({ user, token }) => judge({ token, user, endpoint, sts, now: now() })
}

/**
 * Says whether RDS would let `user` in with `token` at `now` (ms), and by which identity, else which check failed.
 * The signature is made anew from the session's secret. A session without a session policy is refused, which is stricter
 * than RDS: there the role's own permissions decide, which no stand-in here knows. It does not throttle.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export function judge(asked: {
  token: string
  user: string
  endpoint: SignedEndpoint
  sts: Sessions
  now: number
}): Verdict {
  const { endpoint, user } = asked
  const cut = asked.token.indexOf('/?')
  const signedHost = asked.token.slice(0, Math.max(cut, 0))
  const parameters = parseQuery(asked.token.slice(cut + 2))
  if (cut < 0 || !parameters) return refuse('not a token')
  if (signedHost !== `${endpoint.host}:${endpoint.port}`) return refuse('signed for another endpoint')
  for (const name of PARAMETERS) if (!parameters.has(name)) return refuse(`${name} is missing`)
  const of = (name: string) => parameters.get(name) ?? ''

  if (of('Action') !== 'connect') return refuse('Action is not connect')
  if (of('DBUser') !== user) return refuse('signed for another user')
  if (of('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') return refuse('unknown algorithm')
  if (of('X-Amz-SignedHeaders') !== 'host') return refuse('signed headers are not host alone')
  const amzDate = of('X-Amz-Date')
  const credential = parseCredential(of('X-Amz-Credential'))
  if (!credential || !amzDate.startsWith(`${credential.scope.day}T`)) return refuse('broken credential')
  if (credential.scope.service !== 'rds-db') return refuse('signed for another service')
  if (credential.scope.region !== endpoint.region) return refuse('signed for another region')
  const session = asked.sts.session(credential.accessKeyId)
  if (session?.token !== of('X-Amz-Security-Token')) return refuse('unknown credentials')

  const canonicalRequest = [
    'GET',
    '/',
    canonicalQuery([...parameters].filter(([name]) => name !== 'X-Amz-Signature')),
    `host:${signedHost}`,
    '',
    'host',
    sha256(''),
  ].join('\n')
  const wanted = signature({ secret: session.secret, scope: credential.scope, amzDate, canonicalRequest })
  if (wanted !== of('X-Amz-Signature')) return refuse('wrong signature')

  const signedAt = parseAmzDate(amzDate)
  const seconds = /^\d{1,6}$/.test(of('X-Amz-Expires')) ? Number(of('X-Amz-Expires')) : Number.NaN
  if (!(seconds >= 1 && seconds <= LONGEST_SECONDS)) return refuse('X-Amz-Expires is not 1 to 900')
  if (!(signedAt - asked.now <= AHEAD_MS)) return refuse('signed in the future')
  if (asked.now >= signedAt + seconds * 1000) return refuse('token expired')
  if (asked.now >= session.expiresAt) return refuse('session expired')
  if (!allows(session, endpoint, user)) return refuse('session policy does not allow it')
  return { ok: true, identity: session.arn }
}

const refuse = (reason: string): Verdict => ({ ok: false, reason })

/** The decoded parameters; undefined where one is malformed or stands there twice. */
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

/** Wildcards and conditions are not read: a session policy must name the one database user, as jeton promises. */
function allows(session: Session, { region, resourceId }: SignedEndpoint, user: string): boolean {
  if (session.policy === undefined) return false
  const [, partition, , , account] = session.roleArn.split(':')
  const wanted = `arn:${partition}:rds-db:${region}:${account}:dbuser:${resourceId}/${user}`
  const { Statement } = JSON.parse(session.policy) as { Statement?: unknown }
  const statements = list(Statement) as { Effect?: unknown; Action?: unknown; Resource?: unknown }[]
  const matching = statements.filter(
    ({ Action, Resource }) => list(Action).includes('rds-db:connect') && list(Resource).includes(wanted),
  )
  return matching.length > 0 && matching.every(({ Effect }) => Effect === 'Allow')
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])
