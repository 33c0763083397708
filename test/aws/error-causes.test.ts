import { expect, test } from 'vitest'
import { commonCause } from '../../src/aws/error-causes.ts'
import { markProxied } from '../../src/lib/proxy-failure.ts'

interface Facts {
  name?: string
  code?: string
  status?: number
  requestId?: string
  message?: string
}

function sdkError({ name = 'Error', code, status, requestId, message = 'a message' }: Facts): Error {
  return Object.assign(new Error(message), { name, code, $metadata: { httpStatusCode: status, requestId } })
}

test.each<[Facts, 'own' | 'network' | 'aws', RegExp]>([
  [{ name: 'InvalidClientTokenId', status: 403 }, 'own', /does not know the access key/],
  [{ name: 'UnrecognizedClientException', status: 400 }, 'own', /does not know the access key/],
  [{ name: 'SignatureDoesNotMatch', status: 403 }, 'own', /secret key is not that of the access key/],
  [{ name: 'RequestTimeTooSkewed', status: 403 }, 'own', /run NTP/],
  [{ name: 'ExpiredToken', status: 403 }, 'own', /have expired: renew them/],
  [{ name: 'IncompleteSignature', status: 403 }, 'own', /without its whole signature/],
  [{ name: 'MissingAuthenticationToken', status: 403 }, 'own', /without its whole signature/],
  [{ name: 'OptInRequired', status: 403 }, 'own', /not activated/],
  [
    { name: 'CredentialsProviderError', message: 'Could not load credentials from any providers' },
    'own',
    /finds no AWS credentials of its own/,
  ],
  [
    {
      name: 'CredentialsProviderError',
      message: "The SSO session associated with this profile has expired. Run 'aws sso login'",
    },
    'own',
    /run aws sso login/,
  ],
  [{ code: 'ENOENT', message: "ENOENT: no such file, open '/t'" }, 'own', /AWS_WEB_IDENTITY_TOKEN_FILE/],
  [{ name: 'TypeError', code: 'ERR_INVALID_CHAR' }, 'own', /space or line break/],
  [{ name: 'InvalidIdentityToken', status: 400 }, 'own', /web identity/],
  [
    { name: 'AccessDenied', status: 403, message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity' },
    'own',
    /web identity/,
  ],
  [{ message: 'Region is missing' }, 'own', /set AWS_REGION/],
  [
    { message: 'Region not accepted: region="us_east" is not a valid hostname component.' },
    'own',
    /AWS_REGION/,
  ],
  [{ name: 'Throttling', status: 400 }, 'aws', /throttles/],
  [{ name: 'AnyName', status: 429 }, 'aws', /throttles/],
  [{ name: 'InternalFailure', status: 500 }, 'aws', /AWS fails/],
  [{ name: 'AnyName', status: 503 }, 'aws', /AWS fails/],
  [{ code: 'ENOTFOUND' }, 'network', /DNS/],
  [{ code: 'ECONNREFUSED' }, 'network', /cannot be reached.*HTTPS_PROXY/],
  [{ name: 'TimeoutError', code: 'ETIMEDOUT' }, 'network', /no reply came in time/],
  [{ name: 'TimeoutError' }, 'network', /no reply came in time/],
  [{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'network', /NODE_EXTRA_CA_CERTS/],
  [{ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }, 'network', /NODE_EXTRA_CA_CERTS/],
  [{ code: 'CERT_HAS_EXPIRED' }, 'network', /has expired/],
  [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'network', /another name/],
  [{ code: 'EPROTO' }, 'network', /no TLS/],
  [{ name: 'Unknown', status: 407 }, 'network', /something else than AWS answered/],
  [{ name: 'Unknown', status: 403 }, 'network', /something else than AWS answered/],
])('commonCause tells what %j is the fault of, and what to do', (facts, fault, remedy) => {
  const cause = commonCause(sdkError(facts))
  expect(cause?.fault).toBe(fault)
  expect(cause?.remedy).toMatch(remedy)
})

test.each<[Facts, RegExp]>([
  [{ code: 'PROXY_ANSWERED_407' }, /user or password.*HTTPS_PROXY/],
  [{ code: 'PROXY_ANSWERED_403' }, /forbids this host.*NO_PROXY/],
  [{ code: 'PROXY_ANSWERED_502' }, /^the proxy cannot reach AWS/],
  [{ code: 'ENOTFOUND' }, /^the name of the proxy is not found/],
  [{ code: 'ECONNREFUSED' }, /^the proxy does not answer/],
  [{ name: 'TimeoutError', code: 'ECONNRESET' }, /^the proxy does not answer/],
  [{ name: 'TimeoutError' }, /^the proxy does not answer/],
  [{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, /NODE_EXTRA_CA_CERTS/],
])('commonCause tells what is wrong with the proxy that a request with %j went through', (facts, remedy) => {
  const cause = commonCause(markProxied(sdkError(facts), 'proxy.example.com:3128'))
  expect(cause?.fault).toBe('network')
  expect(cause?.remedy).toMatch(remedy)
  expect(cause?.remedy).not.toContain('if there is no other way out')
})

test.each<Facts>([
  { name: 'AccessDenied', status: 403 },
  { name: 'ResourceNotFoundException', status: 400 },
  // S3 answers HEAD without a body, but with a request id
  { name: 'Unknown', status: 403, requestId: '4KBNV' },
  {},
])('commonCause leaves %j to who knows the service', facts => {
  expect(commonCause(sdkError(facts))).toBeUndefined()
})
