import type { Clock } from '../clock.ts'
import type { Database } from '../databases/database.ts'
import { compileGrants } from '../grants/compile.ts'
import type { KeySet } from '../principals/key-set.ts'
import type { Principal } from '../principals/principal.ts'
import { type Callers, createCallers, createWaysIn } from '../principals/registry.ts'
import type { Config, IssuerConfig } from './config.ts'
import { createStanding, type Standing } from './standing.ts'

/**
 * What a configuration says of who may have what: an immutable value, read once for each request, so that a request sees
 * one configuration from beginning to end. What it remembers (verified JWTs, what was granted) is gone with it.
 */
export interface Rules {
  readonly callers: Callers
  /** Throws where there is none of that name, which no checked grant can ask for. */
  database(name: string): Database
  /** The same for the same Principal object, which is the same as long as its JWT is remembered. */
  standingOf(principal: Principal): Standing
}

export interface RulesParts {
  clock: Clock
  keysOf(issuer: IssuerConfig): KeySet
}

export function compileRules(config: Config, { clock, keysOf }: RulesParts): Rules {
  const { issuers, apiKeys } = config
  const trusted = issuers.map(issuer => ({ ...issuer, keys: keysOf(issuer) }))
  const databases = new Map(config.databases.map(database => [database.name, database]))
  const grants = compileGrants(config.grants)
  const standings = new WeakMap<Principal, Standing>()

  function database(name: string): Database {
    const found = databases.get(name)
    if (!found) throw new Error(`no database is called ${name}`)
    return found
  }

  return {
    callers: createCallers(createWaysIn({ issuers: trusted, apiKeys, clock })),
    database,
    standingOf(principal) {
      const known = standings.get(principal)
      if (known) return known
      const standing = createStanding(principal, { grants, database })
      standings.set(principal, standing)
      return standing
    },
  }
}
