import type { Clock } from '../clock.ts'
import type { Database } from '../databases/database.ts'
import { type CompiledGrant, compileGrants, type Grants } from '../grants/compile.ts'
import type { KeySet } from '../principals/key-set.ts'
import type { Principal } from '../principals/principal.ts'
import { type Callers, createCallers, createWaysIn } from '../principals/registry.ts'
import { type TokenKey, tokenKey } from '../tokens/key.ts'
import type { Config, IssuerConfig } from './config.ts'

/**
 * What a configuration says of who may have what: an immutable value, read once for each request, so that a request sees
 * one configuration from beginning to end. What it remembers (verified JWTs, keys of tokens) is gone with it.
 */
export interface Rules {
  readonly callers: Callers
  readonly grants: Grants
  /** Throws where there is none of that name, which no checked grant can ask for. */
  database(name: string): Database
  keyOf(grant: CompiledGrant, who: { user: string; principal: Principal }): TokenKey
  /** Of a principal's claims, those that its issuer's grants name: what a record tells of it. */
  recordedClaims(principal: Principal): Principal['claims']
}

export interface RulesParts {
  clock: Clock
  keysOf(issuer: IssuerConfig): KeySet
}

export function compileRules(config: Config, { clock, keysOf }: RulesParts): Rules {
  const { issuers, apiKeys } = config
  const trusted = issuers.map(issuer => ({ ...issuer, keys: keysOf(issuer) }))
  const databases = new Map(config.databases.map(database => [database.name, database]))
  const sharedKeys = new Map<string, TokenKey>()
  const ownKeys = new WeakMap<Principal, Map<string, TokenKey>>()

  function database(name: string): Database {
    const found = databases.get(name)
    if (!found) throw new Error(`no database is called ${name}`)
    return found
  }

  /** Keys hash a good deal, and the same few are asked for again and again. */
  function keysFor({ session }: CompiledGrant, principal: Principal): Map<string, TokenKey> {
    if (session === 'shared') return sharedKeys
    const own = ownKeys.get(principal) ?? new Map<string, TokenKey>()
    ownKeys.set(principal, own)
    return own
  }

  const grants = compileGrants(config.grants)
  const recorded = new WeakMap<Principal, Principal['claims']>()

  return {
    callers: createCallers(createWaysIn({ issuers: trusted, apiKeys, clock })),
    grants,
    database,
    keyOf(grant, { user, principal }) {
      const keys = keysFor(grant, principal)
      const name = `${grant.database}/${user}`
      const known = keys.get(name)
      if (known) return known
      const owner = grant.session === 'shared' ? undefined : principal
      const key = tokenKey({ database: database(grant.database), user, principal: owner })
      keys.set(name, key)
      return key
    },
    recordedClaims(principal) {
      const known = recorded.get(principal)
      if (known) return known
      const claims = grants.namedClaims(principal.issuer).pick(principal)
      recorded.set(principal, claims)
      return claims
    },
  }
}
