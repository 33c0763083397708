import type { Principal } from '../../authentication/principal.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { canonicalJson } from '../../lib/json.ts'

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html: RoleSessionName */
const LONGEST = 64
const LEGAL = /^[\w+=,.@-]{2,64}$/
const ILLEGAL_CHARACTERS = /[^\w+=,.@-]+/g
const HASH_HEX_DIGITS = 32

export interface SessionNameOf {
  database: string
  user: string
  /** Given where the principal has a role session of its own. */
  principal?: Pick<Principal, 'issuer' | 'subject'> | undefined
}

/**
 * The role session name, which CloudTrail and RDS's own log show: `DATABASE.USER` where that is legal, else (and for a
 * principal of its own) a readable beginning, `=` and 128 bits of a hash of everything that tells it from others.
 * No two keys share one: in `DATABASE.USER` a full stop follows the database's `[a-z0-9-]+`, in the hashed form the hash
 * covers what was cut or replaced.
 */
export function sessionName({ database, user, principal }: SessionNameOf): string {
  if (principal)
    return hashed(principal.subject, ['per-principal', database, user, principal.issuer, principal.subject])
  const plain = `${database}.${user}`
  return LEGAL.test(plain) ? plain : hashed(plain.replace('.', '='), ['shared', database, user])
}

function hashed(readable: string, told: readonly string[]): string {
  const beginning = readable.replace(ILLEGAL_CHARACTERS, '-').slice(0, LONGEST - HASH_HEX_DIGITS - 1)
  return `${beginning}=${sha256Hex(canonicalJson(told)).slice(0, HASH_HEX_DIGITS)}`
}
