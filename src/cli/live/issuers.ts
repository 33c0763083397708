import { fetchJwks } from '../../authentication/discovery.ts'
import { countUsableKeys } from '../../authentication/usable-keys.ts'
import type { IssuerConfig } from '../../config/config.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Fetch } from '../../lib/fetch-json.ts'
import { groupBy } from '../../lib/maps.ts'
import { messageOf } from '../../lib/system-error.ts'
import { failed, type LiveCheck, type LiveResult, ok } from './live-check.ts'

/** Returns a check of each issuer's keys. Those that are discovered are fetched once for all issuers with a URL. */
export function issuerChecks(
  issuers: readonly IssuerConfig[],
  parts: { fetch: Fetch; clock: Clock },
): LiveCheck[] {
  const pinned = issuers.filter(({ jwks }) => jwks !== undefined)
  const discovered = groupBy(
    issuers.filter(({ jwks }) => jwks === undefined),
    ({ issuer }) => issuer,
  )
  return [
    ...pinned.map(({ name, jwks }) => ({
      what: `issuer ${name}`,
      run: () => describeKeys(jwks, { source: 'in its file', remedy: 'put keys into it that verify JWTs' }),
    })),
    ...[...discovered].map(([url, sharing]) => ({
      what: `issuer ${sharing.map(({ name }) => name).join(', ')}`,
      run: () => discover(url, parts),
    })),
  ]
}

async function discover(url: string, parts: { fetch: Fetch; clock: Clock }): Promise<LiveResult> {
  const source = `published by ${url}`
  const keys = await fetchJwks(url, parts).catch(cause => {
    throw new Error(
      `the keys of ${url} cannot be fetched: ${messageOf(cause)}; its JWTs get 503. If only callers can reach it, pin its keys with jwksFile`,
    )
  })
  return describeKeys(keys, { source, remedy: 'its JWTs get 401: ask whoever runs it' })
}

async function describeKeys(
  keys: unknown,
  { source, remedy }: { source: string; remedy: string },
): Promise<LiveResult> {
  const { all, usable } = await countUsableKeys(keys)
  if (usable === 0) return failed(`none of the ${all} keys ${source} can verify a JWT: ${remedy}`)
  // others may be there to encrypt
  const others = usable < all ? `, and ${all - usable} that verify no JWT` : ''
  return ok(`${usable} usable ${usable === 1 ? 'key' : 'keys'} ${source}${others}`)
}
