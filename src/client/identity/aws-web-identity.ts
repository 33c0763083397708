import { partitionOfRegion } from '../../rds/partitions.ts'
import { failure } from '../errors.ts'
import { type ParsedReply, parseSecureUrl, sendRequest } from '../http.ts'
import { findAwsAccess } from './aws-access.ts'
import type { PlatformHost } from './platform.ts'
import { answerFailure } from './request-jwt.ts'

/** How long a JWT is to be valid: one is asked for each request. */
const DURATION_SECONDS = '300'

const TOO_MANY_REQUESTS = 429

/** What to do about errors of STS, by their codes, some of which have two spellings. */
const CURES: Readonly<Record<string, string>> = {
  OutboundWebIdentityFederationDisabled:
    'switch outbound web identity federation on, once for the account: aws iam enable-outbound-web-identity-federation',
  AccessDenied: 'allow this role the action sts:GetWebIdentityToken',
  ExpiredToken: 'the AWS credentials have expired: get new ones',
  InvalidClientTokenId: 'the AWS credentials are not valid: is AWS_SESSION_TOKEN missing?',
  SignatureDoesNotMatch: 'the AWS credentials are not valid: is AWS_SECRET_ACCESS_KEY cut or quoted?',
}

/**
 * Returns a JWT in which AWS says who this role is. STS gives it at its regional endpoints alone; AWS_ENDPOINT_URL_STS and
 * AWS_ENDPOINT_URL name another. Throws CallerError with the code of STS's error and its cure, and nothing else of the reply.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
 */
export async function requestAwsWebIdentity(host: PlatformHost): Promise<string> {
  const { credentials, region } = await findAwsAccess(host)
  const url = stsUrl(host, region)
  const body = new URLSearchParams({
    Action: 'GetWebIdentityToken',
    Version: '2011-06-15',
    'Audience.member.1': host.audience,
    SigningAlgorithm: 'RS256',
    DurationSeconds: DURATION_SECONDS,
  }).toString()
  const { signStsRequest } = await import('./aws-signature.ts')
  const at = host.clock.now()
  const headers = await signStsRequest({ url, body }, { credentials, region, at })
  const reply = await sendRequest({ url, method: 'POST', headers, body }, host)
  if (reply.status !== 200) throw stsFailure(reply, { name: url.host, host })
  const [, jwt] = /<WebIdentityToken>\s*([^<\s]+)\s*<\/WebIdentityToken>/.exec(reply.text) ?? []
  if (jwt === undefined) throw failure(`there is none in the answer of ${url.host}`)
  return jwt
}

function stsUrl({ env }: PlatformHost, region: string): URL {
  if (env.AWS_ENDPOINT_URL_STS) return parseSecureUrl(env.AWS_ENDPOINT_URL_STS, 'AWS_ENDPOINT_URL_STS')
  if (env.AWS_ENDPOINT_URL) return parseSecureUrl(env.AWS_ENDPOINT_URL, 'AWS_ENDPOINT_URL')
  const partition = partitionOfRegion(region)
  if (!partition) throw failure('AWS_REGION is not the name of a region of AWS')
  return new URL(`https://sts.${region}.${partition.suffix}/`)
}

function stsFailure(reply: ParsedReply, { name, host }: { name: string; host: PlatformHost }) {
  const [, code = ''] = /<Code>([A-Za-z]{1,60})<\/Code>/.exec(reply.text) ?? []
  if (code === '') return answerFailure(reply, { name, host })
  // of all its errors, this one alone may pass with a status that says otherwise
  if (code.startsWith('Throttling'))
    return answerFailure({ ...reply, status: TOO_MANY_REQUESTS }, { name, host, cure: code })
  const cure = CURES[code.replace(/Exception$/, '')]
  return answerFailure(reply, { name, host, cure: cure === undefined ? code : `${code}: ${cure}` })
}
