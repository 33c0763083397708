import type { Principal } from '../../authentication/principal.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { canonicalJson } from '../../lib/json.ts'

/** RoleSessionName in https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const MAX_LENGTH = 64
const LEGAL_NAME = /^[\w+=,.@-]{2,64}$/
const ILLEGAL_CHARACTERS = /[^\w+=,.@-]+/g
const HASH_HEX_DIGITS = 32

export interface SessionNameInput {
  database: string
  user: string
  /** Set if the principal has a role session of its own. */
  principal?: Pick<Principal, 'issuer' | 'subject'> | undefined
}

/**
 * Returns the role session name, which CloudTrail and RDS's own log show: `DATABASE.USER` if that is legal, else (and for
 * a principal with a session of its own) a readable beginning, `=` and 128 bits of a hash of everything that distinguishes
 * it. No two keys share a name: in `DATABASE.USER` a full stop follows the database's `[a-z0-9-]+`, and the hash covers
 * what was cut or replaced.
 */
export function sessionName({ database, user, principal }: SessionNameInput): string {
  if (principal)
    return hashedName(principal.subject, [
      'per-principal',
      database,
      user,
      principal.issuer,
      principal.subject,
    ])
  const plain = `${database}.${user}`
  return LEGAL_NAME.test(plain) ? plain : hashedName(plain.replace('.', '='), ['shared', database, user])
}

function hashedName(readable: string, hashed: readonly string[]): string {
  const beginning = readable.replace(ILLEGAL_CHARACTERS, '-').slice(0, MAX_LENGTH - HASH_HEX_DIGITS - 1)
  return `${beginning}=${sha256Hex(canonicalJson(hashed)).slice(0, HASH_HEX_DIGITS)}`
}
