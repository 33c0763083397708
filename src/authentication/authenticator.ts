import type { Clock } from '../lib/clock.ts'
import { createApiKeyScheme } from './api-key.ts'
import { createJwtScheme, type TrustedIssuer } from './jwt.ts'
import type { AuthScheme, Principal } from './principal.ts'
import { unauthenticated } from './unauthenticated.ts'

export interface SchemesOptions {
  issuers: readonly TrustedIssuer[]
  /** For each name, the hex SHA-256 of every key that is good for it. */
  apiKeys: Readonly<Record<string, readonly string[]>>
  clock: Clock
}

/** Every way in, for one set of rules: what they remember is remembered for these rules alone. */
export function createSchemes({ issuers, apiKeys, clock }: SchemesOptions): AuthScheme[] {
  return [createJwtScheme({ issuers, clock }), createApiKeyScheme({ keys: apiKeys })]
}

export interface Authenticator {
  /** The principal that the value of an `Authorization` header proves; throws as `WayIn.identify` does. */
  authenticate(authorization: string | undefined): Promise<Principal>
}

/** RFC 9110, 11.4, with a token68 for the credential: `SCHEME credential` and nothing beside it. */
const CREDENTIALS = /^([\w!#$%&'*+.^`|~-]+) +([\w.~+/-]+=*)$/

/**
 * Finds the way in by the scheme of an `Authorization` header, without regard to case (RFC 9110, 11.1).
 * What does not parse is never quoted: who forgets the scheme sends the bare secret.
 */
export function createAuthenticator(waysIn: readonly AuthScheme[]): Authenticator {
  const byScheme = new Map(waysIn.map(way => [way.scheme.toLowerCase(), way]))
  const accepted = `send Authorization: ${waysIn.map(way => `${way.scheme} ...`).join(' or ')}`
  return {
    async authenticate(authorization) {
      if (!authorization) throw unauthenticated(`no credential; ${accepted}`)
      const [, scheme, credential] = CREDENTIALS.exec(authorization) ?? []
      if (!scheme || !credential) throw unauthenticated(`the Authorization header is malformed; ${accepted}`)
      const way = byScheme.get(scheme.toLowerCase())
      if (!way) throw unauthenticated(`the scheme of the Authorization header is unknown; ${accepted}`)
      return way.authenticate(credential)
    },
  }
}
