import { join } from 'node:path'
import { singleWord } from './credential-text.ts'
import type { PlatformHost } from './platform.ts'
import { requestJwt, urlWith } from './request-jwt.ts'

/** The socket of a machine of Fly.io's, on which it is told who it is. */
export const FLY_SOCKET = '/.fly/api'

/** GitHub Actions and Forgejo Actions, whose URL has a query. https://docs.github.com/en/actions/reference/security/oidc */
export function requestActionsToken(host: PlatformHost): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: text = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret = '' } = host.env
  const url = urlWith(text, 'ACTIONS_ID_TOKEN_REQUEST_URL', { audience: host.audience })
  const headers = {
    authorization: `Bearer ${singleWord(secret, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN')}`,
    accept: 'application/json',
  }
  return requestJwt({ url, headers, member: 'value' }, host)
}

/**
 * Azure DevOps, whose JWTs all have the audience of Entra's token exchange. Without `X-TFS-FedAuthRedirect` it answers a token
 * that is not valid with a redirect to a login page.
 * https://learn.microsoft.com/en-us/rest/api/azure/devops/distributedtask/oidctoken/create
 */
export function requestPipelineToken(host: PlatformHost): Promise<string> {
  const { SYSTEM_OIDCREQUESTURI: text = '', SYSTEM_ACCESSTOKEN: secret = '' } = host.env
  const url = urlWith(text, 'SYSTEM_OIDCREQUESTURI', { 'api-version': '7.1' })
  const headers = {
    authorization: `Bearer ${singleWord(secret, 'SYSTEM_ACCESSTOKEN')}`,
    'content-type': 'application/json',
    'x-tfs-fedauthredirect': 'Suppress',
  }
  return requestJwt({ url, method: 'POST', headers, member: 'oidcToken' }, host)
}

/** Codefresh, whose token is the whole header. https://codefresh.io/docs/docs/integrations/oidc-pipelines/ */
export function requestCodefreshToken(host: PlatformHost): Promise<string> {
  const { CF_OIDC_REQUEST_URL: text = '', CF_OIDC_REQUEST_TOKEN: secret = '' } = host.env
  const url = urlWith(text, 'CF_OIDC_REQUEST_URL', { audience: host.audience })
  const headers = { authorization: singleWord(secret, 'CF_OIDC_REQUEST_TOKEN') }
  return requestJwt({ url, headers, member: 'id_token' }, host)
}

/** Fly.io, whose reply is the JWT and nothing else. https://fly.io/docs/security/openid-connect/ */
export function requestFlyToken(host: PlatformHost): Promise<string> {
  return requestJwt(
    {
      url: new URL('http://localhost/v1/tokens/oidc'),
      socketPath: join(host.root, FLY_SOCKET),
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ aud: host.audience }),
    },
    host,
  )
}
