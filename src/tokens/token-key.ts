import type { Principal } from '../authentication/principal.ts'
import { sha256Hex } from '../lib/hash.ts'
import { canonicalJson } from '../lib/json.ts'
import type { Database } from '../rds/database.ts'
import { sessionName } from './role-session/session-name.ts'

/** What one token is for. Everyone with the same key shares one role session and one token. */
export interface TokenKey {
  /** SHA-256 over everything that goes into assuming the role and signing: a changed configuration is another key. */
  readonly id: string
  readonly database: Database
  readonly user: string
  readonly sessionName: string
}

export interface TokenKeyOf {
  database: Database
  user: string
  /** Given where the grant says `session: per-principal`. */
  principal?: Pick<Principal, 'issuer' | 'subject'> | undefined
}

export function tokenKey({ database, user, principal }: TokenKeyOf): TokenKey {
  const name = sessionName({ database: database.name, user, principal })
  const { host, port, region, partition, account, resourceId, roleArn, externalId } = database
  const signedBy = { host, port, region, partition, account, resourceId, roleArn, externalId, user, name }
  return { id: sha256Hex(canonicalJson(signedBy)), database, user, sessionName: name }
}
