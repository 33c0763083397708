import { parseEndpoint } from '../../rds/endpoint.ts'
import type { TokenFacts } from './token-facts.ts'
import type { TokenProblem, TokenProblemCode } from './token-problem.ts'
import { REQUIRED_PARAMETERS, type TokenText } from './token-text.ts'

/** What the login is made with, to be compared with the token. */
export interface Expected {
  user?: string | undefined
  host?: string | undefined
  port?: number | undefined
}

const SERVICE = 'rds-db'
const MAX_LIFETIME_MS = 900_000
/** AWS refuses signatures from further in the future. */
const MAX_AHEAD_MS = 5 * 60_000

const OTHER_SERVICES: Readonly<Record<string, string>> = {
  elasticache: 'a token for ElastiCache, whose password it is there alone',
  memorydb: 'a token for MemoryDB, whose password it is there alone',
  dsql: 'a token for Aurora DSQL, which has other endpoints and another action',
  'redshift-data': 'a request for Redshift, whose passwords come from GetCredentials',
  redshift: 'a request for Redshift, whose passwords come from GetCredentials',
  'redshift-serverless': 'a request for Redshift, whose passwords come from GetCredentials',
  sts: 'a presigned request to STS, such as one that proves an identity to Vault or EKS',
  s3: 'a presigned URL of S3',
}

function problem(code: TokenProblemCode, message: string): TokenProblem[] {
  return [{ code, message }]
}

/** Returns what is wrong with how a token was signed and written. */
export function signatureProblems(
  { parameters }: TokenText,
  { facts, isCut }: { facts: TokenFacts; isCut: boolean },
): TokenProblem[] {
  const named = (name: string) => parameters.filter(parameter => parameter.name === name)
  const isRepeated = parameters.some(({ name }) => named(name).length > 1)
  const credential = named('X-Amz-Credential')[0]?.raw ?? ''
  const hasBrokenEscape = parameters.slice(0, isCut ? -1 : undefined).some(({ value }) => value === undefined)
  const missing = isCut ? [] : REQUIRED_PARAMETERS.filter(name => named(name).length === 0)
  const other = parameters.some(({ raw }) => /[^\x21-\x7e]/.test(raw))
  const day = /^(\d{8})T/.exec(named('X-Amz-Date')[0]?.raw ?? '')?.[1]
  const scopeDay = /(?:\/|%2F)(\d{8})(?:\/|%2F)/i.exec(credential)?.[1]
  return [
    ...(credential.includes('/')
      ? problem(
          'decoded',
          'its percent-encoding was undone (there is a / in X-Amz-Credential): the password is the text as it was before that',
        )
      : []),
    ...(other ? problem('other_characters', 'there are characters in it that no token has') : []),
    ...(isRepeated
      ? problem('malformed', 'a parameter stands in it twice: two tokens may have run together')
      : []),
    ...(hasBrokenEscape
      ? problem('malformed', 'an escape in it is broken: % without two hex digits after it')
      : []),
    ...(missing.length > 0
      ? problem('malformed', `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing`)
      : []),
    ...(day !== undefined && scopeDay !== undefined && day !== scopeDay
      ? problem('malformed', 'the day in X-Amz-Credential is not that of X-Amz-Date')
      : []),
    ...(!isCut && facts.accessKeyId?.startsWith('ASIA') && named('X-Amz-Security-Token').length === 0
      ? problem(
          'no_session_token',
          'it has no session token, although its access key is a temporary one (ASIA…): whoever signed it left AWS_SESSION_TOKEN out',
        )
      : []),
  ]
}

/** Returns for what endpoint, user and service a token is not. */
export function targetProblems(
  { host, port, hasPath, parameters }: TokenText,
  { facts, isCut, expected }: { facts: TokenFacts; isCut: boolean; expected: Expected },
): TokenProblem[] {
  const { service, region } = facts
  const named = (name: string) => parameters.find(parameter => parameter.name === name)
  const action = named('Action')?.value
  const other = service === undefined || service === SERVICE ? undefined : OTHER_SERVICES[service]
  if (other !== undefined) return problem('other_service', `it is ${other}`)
  const endpoint = parseEndpoint(host)
  return [
    ...(service !== undefined && service !== SERVICE
      ? problem(
          'other_service',
          `it is signed for the service ${service}, and RDS takes tokens for ${SERVICE} alone`,
        )
      : []),
    ...(action !== undefined && action !== 'connect' && !(isCut && parameters.length === 1)
      ? problem('wrong_action', 'its action is not connect, which is the only one that RDS takes')
      : []),
    ...(endpoint.ok
      ? []
      : problem(
          'not_rds_endpoint',
          'it is signed for a name that is not an endpoint of RDS, such as an alias or an address: RDS takes tokens for its own names alone (NAME.HASH.REGION.rds.amazonaws.com)',
        )),
    ...(port === undefined
      ? problem('no_port', 'it has no port after the host: RDS takes tokens for HOST:PORT')
      : []),
    ...(hasPath ? [] : problem('no_path', 'there is no / before the ?: a token is HOST:PORT/?…')),
    ...(endpoint.ok && region !== undefined && region !== endpoint.region
      ? problem(
          'wrong_region',
          `it is signed for the region ${region}, and its endpoint is in ${endpoint.region}`,
        )
      : []),
    ...(action === 'connect' && named('DBUser') === undefined && !isCut
      ? problem('wrong_user', 'it names no database user (DBUser)')
      : []),
    ...expectationProblems(facts, expected),
  ]
}

function expectationProblems(facts: TokenFacts, { user, host, port }: Expected): TokenProblem[] {
  const isOtherCase = facts.user?.toLowerCase() === user?.toLowerCase()
  return [
    ...(user !== undefined && facts.user !== undefined && facts.user !== user
      ? problem(
          'wrong_user',
          `it is for another database user than the one to compare with${isOtherCase ? ': the case differs, and counts' : ''}`,
        )
      : []),
    ...(host !== undefined && facts.host !== undefined && facts.host.toLowerCase() !== host.toLowerCase()
      ? problem('wrong_host', 'it is for another endpoint than the one to compare with')
      : []),
    ...(port !== undefined && facts.port !== undefined && facts.port !== port
      ? problem('wrong_port', 'it is for another port than the one to compare with')
      : []),
  ]
}

/** Returns whether a token is good at this time, by itself. */
export function timeProblems({ signedAt, expiresAt }: TokenFacts, now: number): TokenProblem[] {
  if (signedAt === undefined) return []
  return [
    ...(signedAt - now > MAX_AHEAD_MS
      ? problem(
          'not_yet_valid',
          'it was signed in the future: the clock of whoever signed it is wrong, or that of this machine',
        )
      : []),
    ...(expiresAt !== undefined && expiresAt - signedAt > MAX_LIFETIME_MS
      ? problem('lifetime', 'it is to last for longer than the 15 minutes that RDS allows')
      : []),
    ...(expiresAt !== undefined && expiresAt <= now
      ? problem('expired', 'it has expired: a token opens connections for 15 minutes; request a new one')
      : []),
  ]
}
