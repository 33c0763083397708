/**
 * Claims by name, nested ones as `a.b`, each with the shapes that a pattern may have: it must be spelled out up to and
 * including the text after `OWNER`, or as a whole if `OWNER` is at the end.
 */
export interface OwnerClaims {
  readonly [claim: string]: readonly string[]
}

/** What must stand beside a claim in the same grant for it to pin: this value, or any that is spelled out. */
export interface Requirement {
  readonly claim: string
  readonly value?: string
}

/** How a grant pins the owner of the JWTs of a shared issuer. A claim that is in none of the lists pins nothing. */
export interface OwnerRules {
  /** Who gives out the JWTs, to be read after "from". */
  readonly name: string
  /** Claims with ids, which nobody chooses and which are never given to another. */
  readonly ownerIds: OwnerClaims
  /** Claims with names: the owner can change them, and once free they can be taken by another. */
  readonly ownerNames?: OwnerClaims
  /** Claims of the lists above that pin only beside others. */
  readonly requirements?: { readonly [claim: string]: readonly Requirement[] }
  /** Claims that seem to pin an owner, and why they do not. */
  readonly misleadingClaims?: { readonly [claim: string]: string }
  /** Claims that pin, and why another claim is better: a grant that rests on one is warned of. */
  readonly doubtfulClaims?: { readonly [claim: string]: string }
  /** What to write, as YAML; empty if jeton knows no claim that pins. */
  readonly example: string
}

/** A provider that anyone can get a JWT from: its signature alone does not tell one customer from another. */
export interface SharedOidcProvider extends OwnerRules {
  /** The URLs in its `iss`. One that already names a customer (`https://oidc.vercel.com/TEAM`) does not belong here. */
  readonly issuers: readonly string[]
}

/** The shapes of a claim that must be spelled out as a whole. */
export const WHOLE = ['OWNER']

const VERIFIED: Requirement = { claim: 'email_verified', value: 'true' }

/** What holds for addresses and domains wherever people log in: unverified they prove nothing, and they change hands. */
export const EMAIL_RULES = {
  requirements: { email: [VERIFIED], hd: [VERIFIED] },
  doubtfulClaims: {
    email: 'an address can be given to somebody else, which no JWT shows',
    hd: 'whoever gets the domain gets the claim, and everybody in it is meant',
  },
}

/** Returns the shapes by which a claim pins an owner, with those that people know first; empty if it does not. */
export function ownerShapes({ ownerIds, ownerNames = {} }: OwnerRules, claim: string): readonly string[] {
  return [ownerNames, ownerIds].flatMap(claims => (Object.hasOwn(claims, claim) ? (claims[claim] ?? []) : []))
}

/** Returns the names of all claims that pin an owner, ids first. */
export function ownerClaimNames({ ownerIds, ownerNames = {} }: OwnerRules): string[] {
  return [...new Set([...Object.keys(ownerIds), ...Object.keys(ownerNames)])]
}
