import type { Principal } from '../../authentication/principal.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { canonicalJson } from '../../lib/json.ts'

/** So short that a record of a hundred slots stays small, and too long for a caller to find the hash of another. */
const HASH_HEX_DIGITS = 12

/** Whose share of a resource's slots a new token is charged to. Holds hashes, for the record in the store. */
export interface SlotOwner {
  /** A short hash of the grant's name. */
  readonly grant: string
  /** A short hash of the principal's issuer and subject. */
  readonly principal: string
}

/** Returns the owner of slots for a principal under a grant of this name. */
export function slotOwner(
  grant: string,
  { issuer, subject }: Pick<Principal, 'issuer' | 'subject'>,
): SlotOwner {
  return { grant: hashGrant(grant), principal: shortHash([issuer, subject]) }
}

/** Returns what stands for a grant of this name in an owner. */
export function hashGrant(name: string): string {
  return shortHash([name])
}

/** Whether both are the same principal under the same grant. */
export function isSameOwner(a: SlotOwner, b: SlotOwner): boolean {
  return a.grant === b.grant && a.principal === b.principal
}

function shortHash(names: readonly string[]): string {
  return sha256Hex(canonicalJson(names)).slice(0, HASH_HEX_DIGITS)
}
