import { type Authenticator, createAuthenticator, createSchemes } from '../authentication/authenticator.ts'
import type { ReadableIssuerKeys } from '../authentication/issuer-keys.ts'
import type { Principal } from '../authentication/principal.ts'
import { type CompiledGrants, compileGrants } from '../authorization/compiled-grants.ts'
import { compileOperators, type Operators } from '../authorization/operators.ts'
import type { Config, IssuerConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Database } from '../rds/database.ts'
import { createTraceCalls, type Traces } from '../telemetry/traces.ts'
import { createPrincipalAccess, type PrincipalAccess } from './principal-access.ts'

/**
 * The issuers, API keys, databases and grants of one configuration, compiled. It is immutable and read once for each request,
 * so that a request sees one configuration from beginning to end. What it caches (verified JWTs, granted requests) ends with it.
 */
export interface AccessPolicy {
  /** In the configuration's order. */
  readonly issuers: readonly {
    readonly name: string
    readonly issuer: string
    readonly keys: ReadableIssuerKeys
  }[]
  readonly authenticator: Authenticator
  readonly grants: CompiledGrants
  /** Who may open the console. */
  readonly operators: Operators
  /** Returns the database of this name. Throws if there is none, which a checked grant never causes. */
  database(name: string): Database
  /** Returns the same object for the same Principal object, which stays the same while its JWT is cached. */
  accessOf(principal: Principal): PrincipalAccess
}

export interface AccessPolicyParts {
  clock: Clock
  /** Default: no spans. */
  traces?: Traces | undefined
  keysOf(issuer: IssuerConfig): ReadableIssuerKeys
}

/**
 * Compiles a configuration that has been checked. Throws an Error for pinned keys or API key hashes that the checks would
 * have refused.
 */
export function compileAccessPolicy(
  config: Config,
  { clock, keysOf, traces }: AccessPolicyParts,
): AccessPolicy {
  const { apiKeys } = config
  const issuers = config.issuers.map(issuer => ({ ...issuer, keys: keysOf(issuer) }))
  const databaseByName = new Map(config.databases.map(database => [database.name, database]))
  const grants = compileGrants(config.grants)
  const accessByPrincipal = new WeakMap<Principal, PrincipalAccess>()

  function database(name: string): Database {
    const named = databaseByName.get(name)
    if (!named) throw new Error(`no database is called ${name}`)
    return named
  }

  function accessOf(principal: Principal): PrincipalAccess {
    // not getOrCreate: this is done for each request, and its closure would be an allocation
    const cached = accessByPrincipal.get(principal)
    if (cached) return cached
    const access = createPrincipalAccess(principal, { grants, clock, database })
    accessByPrincipal.set(principal, access)
    return access
  }

  const extraBytesOf = (principal: Principal) => accessOf(principal).listBytes()
  const { authenticate, recall } = createAuthenticator(
    createSchemes({ issuers, apiKeys, clock, extraBytesOf }),
  )
  return {
    issuers,
    grants,
    operators: compileOperators(config.operators ?? []),
    authenticator: {
      authenticate: createTraceCalls(traces)('jeton.authenticate', authenticate),
      recall,
    },
    database,
    accessOf,
  }
}
