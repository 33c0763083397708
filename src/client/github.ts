import { isJsonObject } from '../lib/json.ts'
import { failure } from './errors.ts'
import { type Network, parseSecureUrl, sendRequest } from './http.ts'
import { statusFailure } from './retry-after.ts'

export interface GithubJwtRequest {
  /** `ACTIONS_ID_TOKEN_REQUEST_URL`, with its query. */
  url: string
  /** `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  requestToken: string
  audience: string
}

/**
 * Fetches a new JWT for this job from GitHub Actions. It is valid for about five minutes and not verified here. Throws
 * CallerError, which contains neither the request token nor the JWT.
 * https://docs.github.com/en/actions/reference/security/oidc
 */
export async function fetchGithubJwt(
  { url, requestToken, audience }: GithubJwtRequest,
  network: Network,
): Promise<string> {
  const target = parseSecureUrl(url, 'ACTIONS_ID_TOKEN_REQUEST_URL')
  target.searchParams.set('audience', audience)
  const headers = { authorization: `Bearer ${requestToken}`, accept: 'application/json' }
  const reply = await sendRequest({ url: target, headers }, network)
  const { status, body } = reply
  if (status !== 200)
    throw statusFailure(`GitHub issued no OIDC token: ${target.host} answered ${status}`, {
      reply,
      now: network.clock.now(),
    })
  if (isJsonObject(body) && typeof body.value === 'string') return body.value
  throw failure(`GitHub issued no OIDC token: there is none in the answer of ${target.host}`)
}
