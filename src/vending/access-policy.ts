import { type Authenticator, createAuthenticator, createSchemes } from '../authentication/authenticator.ts'
import type { IssuerKeys } from '../authentication/issuer-keys.ts'
import type { Principal } from '../authentication/principal.ts'
import { compileGrants } from '../authorization/compiled-grants.ts'
import type { Config, IssuerConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Database } from '../rds/database.ts'
import { createPrincipalAccess, type PrincipalAccess } from './principal-access.ts'

/**
 * What a configuration says of who may have what: an immutable value, read once for each request, so that a request sees
 * one configuration from beginning to end. What it remembers (verified JWTs, what was granted) is gone with it.
 */
export interface AccessPolicy {
  readonly authenticator: Authenticator
  /** Throws where there is none of that name, which no checked grant can ask for. */
  database(name: string): Database
  /** The same for the same Principal object, which is the same as long as its JWT is remembered. */
  accessOf(principal: Principal): PrincipalAccess
}

export interface AccessPolicyParts {
  clock: Clock
  keysOf(issuer: IssuerConfig): IssuerKeys
}

export function compileAccessPolicy(config: Config, { clock, keysOf }: AccessPolicyParts): AccessPolicy {
  const { issuers, apiKeys } = config
  const trusted = issuers.map(issuer => ({ ...issuer, keys: keysOf(issuer) }))
  const databases = new Map(config.databases.map(database => [database.name, database]))
  const grants = compileGrants(config.grants)
  const standings = new WeakMap<Principal, PrincipalAccess>()

  function database(name: string): Database {
    const found = databases.get(name)
    if (!found) throw new Error(`no database is called ${name}`)
    return found
  }

  return {
    authenticator: createAuthenticator(createSchemes({ issuers: trusted, apiKeys, clock })),
    database,
    accessOf(principal) {
      const known = standings.get(principal)
      if (known) return known
      const standing = createPrincipalAccess(principal, { grants, database })
      standings.set(principal, standing)
      return standing
    },
  }
}
