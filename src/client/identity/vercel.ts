import { isJsonObject } from '../../lib/json.ts'
import type { PlatformHost } from './platform.ts'
import { requestJwt } from './request-jwt.ts'

/**
 * Returns the JWT that Vercel gives a build by VERCEL_OIDC_TOKEN, and a function by a header of the request that it answers;
 * undefined without one. That of a function is looked up at each call, because it changes with the request.
 */
export function vercelSourceToken({ env }: Pick<PlatformHost, 'env'>): string | undefined {
  return requestHeader() ?? (env.VERCEL_OIDC_TOKEN || undefined)
}

/**
 * Exchanges Vercel's JWT, whose audience is the team's URL, for one with the caller's audience.
 * https://vercel.com/docs/oidc/reference
 */
export function exchangeVercelToken(host: PlatformHost): Promise<string> {
  return requestJwt(
    {
      url: new URL('https://oidc.vercel.com/~token'),
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ token: vercelSourceToken(host), aud: host.audience }),
      member: 'token',
    },
    host,
  )
}

/** As `@vercel/oidc` reads it. */
function requestHeader(): string | undefined {
  const holder: unknown = Reflect.get(globalThis, Symbol.for('@vercel/request-context'))
  const context = isJsonObject(holder) && typeof holder.get === 'function' ? holder.get() : undefined
  const headers = isJsonObject(context) ? context.headers : undefined
  const token = isJsonObject(headers) ? headers['x-vercel-oidc-token'] : undefined
  return typeof token === 'string' && token !== '' ? token : undefined
}
