import { failed } from './errors.ts'
import { type Network, sendRequest } from './http.ts'
import { secureUrl } from './secure-url.ts'

export interface GithubAsk {
  /** `ACTIONS_ID_TOKEN_REQUEST_URL`, query and all. */
  url: string
  /** `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  token: string
  audience: string
}

/**
 * A new JWT of this job from GitHub Actions; it lives for about five minutes. Throws a failure (exit code 1) that holds
 * neither the request token nor the JWT. Does not verify the JWT: the server does.
 * https://docs.github.com/en/actions/reference/security/oidc
 */
export async function githubJwt({ url, token, audience }: GithubAsk, network: Network): Promise<string> {
  const target = secureUrl(url, 'ACTIONS_ID_TOKEN_REQUEST_URL')
  target.searchParams.set('audience', audience)
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
  const { status, body } = await sendRequest(target, { headers }, network)
  if (status !== 200) throw failed(`GitHub gave no OIDC token: ${target.host} answered ${status}`)
  if (typeof body === 'object' && body !== null && 'value' in body && typeof body.value === 'string')
    return body.value
  throw failed(`GitHub gave no OIDC token: ${target.host} answered without one`)
}
