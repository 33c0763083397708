/** What the JWTs of an issuer have, as far as it is published. Issuers add claims: what is not here is doubtful, not wrong. */
export interface KnownClaims {
  /** Who gives out the JWTs, to be read after "of". */
  readonly name: string
  /** The `iss` of its JWTs; rows of shared providers go by theirs. */
  readonly issuer: RegExp
  /** Claims beside those of every JWT; nested ones as `a > b`, because a name may have dots. */
  readonly claims: readonly string[]
  /** Names that customers choose the end of. */
  readonly prefixes?: readonly string[]
  /** Customers can add claims of any name, or not all are published: only a near miss is doubtful. */
  readonly isOpen?: true
  readonly values?: { readonly [claim: string]: ValueForm }
  /** The only `aud` that its JWTs have. */
  readonly audience?: string
  /** How long its JWTs live, if that is longer than jeton accepts by default. */
  readonly lifetimeSeconds?: number
}

/** The form of a claim's values. */
export interface ValueForm {
  /** One of these begins it; of a pattern, what stands before the first `*` must fit. */
  readonly begins?: readonly string[]
  /** None of these begins it. */
  readonly beginsNot?: readonly string[]
  /** A value without `*` matches this. */
  readonly whole?: RegExp
  /** What to write, to be read after "such as". */
  readonly example: string
}

/** RFC 7519, 4.1. */
export const REGISTERED_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']

/** Returns the names in a text, between white space. */
export function claimNames(text: string): string[] {
  return text.trim().split(/\s+/)
}

/** OpenID Connect Core 1.0, 2 and 5.1. */
export const OIDC_CLAIMS = claimNames(`
    auth_time nonce acr amr azp at_hash c_hash sid name given_name family_name middle_name
    nickname preferred_username profile picture website email email_verified gender birthdate
    zoneinfo locale phone_number phone_number_verified address updated_at
`)

/** Whether a value, or a pattern, can be one that a claim of this form has. */
export function fitsForm(value: string, { begins, beginsNot = [], whole }: ValueForm): boolean {
  const star = value.indexOf('*')
  const front = star < 0 ? value : value.slice(0, star)
  const mayBegin = (start: string) => front.startsWith(start) || (star >= 0 && start.startsWith(front))
  if (beginsNot.some(start => front.startsWith(start))) return false
  if (begins !== undefined && !begins.some(mayBegin)) return false
  return star >= 0 || whole === undefined || whole.test(value)
}
