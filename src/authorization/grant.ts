/** What a claim is compared with, by its text: a configured `123456` matches the JWT's `"123456"` and `123456`. */
export type Scalar = string | number | boolean

/** Wanted claims by name: a pattern, several of which one must match, or nested as in the JWT. All named claims must match. */
export interface ClaimSpec {
  readonly [claim: string]: Scalar | readonly Scalar[] | ClaimSpec
}

/** Which principals a grant means. */
export interface PrincipalSpec {
  /** A name from the configuration (`issuers`), or `apiKey`. */
  readonly issuer: string
  /** A pattern, or several of which one must match, for the JWT's `sub` or the name of the API key. */
  readonly subject?: string | readonly string[]
  readonly claims?: ClaimSpec
  /** Says explicitly that every principal of the issuer is meant. */
  readonly anyone?: boolean
}

/** A grant as it is configured: which principals may have tokens for which users of a database. */
export interface GrantSpec {
  readonly name: string
  readonly principal: PrincipalSpec
  readonly database: string
  readonly users: readonly string[]
  /** One role session for each database user, for the whole fleet (the default), or one for each principal. */
  readonly session?: 'shared' | 'per-principal'
  /** The first and the last moment that it is in force, by RFC 3339; without one, it has no beginning or no end. */
  readonly notBefore?: string
  readonly notAfter?: string
}

/** Which principals may open the console, as it is configured. */
export interface OperatorSpec {
  readonly name: string
  readonly principal: PrincipalSpec
  /** As those of a grant. */
  readonly notBefore?: string
  readonly notAfter?: string
}

/** What a principal requests a token for. `user` may be left out if only one is granted. */
export interface AccessRequest {
  readonly database: string
  readonly user?: string | undefined
}

/** The same with either part left out: for `explain`, which then covers every database or user. */
export interface PartialAccessRequest {
  readonly database?: string | undefined
  readonly user?: string | undefined
}

/** Whether an object is wanted rather than text. */
export function isNested(wanted: ClaimSpec[string]): wanted is ClaimSpec {
  return typeof wanted === 'object' && !Array.isArray(wanted)
}

/** Returns the wanted patterns as a list; one of them must match. */
export function alternatives(wanted: Scalar | readonly Scalar[]): readonly Scalar[] {
  return typeof wanted === 'object' ? wanted : [wanted]
}
