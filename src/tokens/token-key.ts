import type { Principal } from '../authentication/principal.ts'
import { sha256Hex } from '../lib/hash.ts'
import { canonicalJson } from '../lib/json.ts'
import type { Database } from '../rds/database.ts'
import { sessionName } from './role-session/session-name.ts'

/** Identifies a token. Callers with the same key share one role session and one token. */
export interface TokenKey {
  /** SHA-256 of all that goes into assuming the role and signing: a change of any of it makes another key. */
  readonly id: string
  readonly database: Database
  readonly user: string
  readonly sessionName: string
}

export interface TokenScope {
  database: Database
  user: string
  /** Set if the grant says `session: per-principal`. */
  principal?: Pick<Principal, 'issuer' | 'subject'> | undefined
}

/** Returns the key of a token. Its id is in the keys of stored records: renaming a hashed member changes every id. */
export function tokenKey({ database, user, principal }: TokenScope): TokenKey {
  const name = sessionName({ database: database.name, user, principal })
  const { host, port, region, partition, account, resourceId, roleArn, externalId } = database
  const hashed = { host, port, region, partition, account, resourceId, roleArn, externalId, user, name }
  return { id: sha256Hex(canonicalJson(hashed)), database, user, sessionName: name }
}
