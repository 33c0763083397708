/** What a claim is compared with, by its text: a configured `123456` holds for the JWT's `"123456"` and `123456`. */
export type Scalar = string | number | boolean

/** Wanted claims by name: a pattern, any of several, or nested as in the JWT. All named claims must hold. */
export interface ClaimSpec {
  readonly [claim: string]: Scalar | readonly Scalar[] | ClaimSpec
}

/** Which principals a grant means. */
export interface PrincipalSpec {
  /** A name from the configuration (`issuers`), or `apiKey`. */
  readonly issuer: string
  /** Pattern, or any of several, for the JWT's `sub` or the name of the API key. */
  readonly subject?: string | readonly string[]
  readonly claims?: ClaimSpec
  /** Says outright that everybody the issuer knows is meant. */
  readonly anyone?: boolean
}

/** A grant as it is configured: which principals may get tokens for which database and database users. */
export interface GrantSpec {
  readonly name: string
  readonly principal: PrincipalSpec
  readonly database: string
  readonly users: readonly string[]
  /** One role session for each database user for the whole fleet (the default), or one for each principal. */
  readonly session?: 'shared' | 'per-principal'
}

/** What a principal asks for. `user` may be left out where only one is granted. */
export interface AccessRequest {
  readonly database: string
  readonly user?: string | undefined
}

/** The same question with either part open: for `explain`, which then speaks of every database or user. */
export interface PartialAccessRequest {
  readonly database?: string | undefined
  readonly user?: string | undefined
}

/** True where an object is wanted rather than text. */
export function isNested(wanted: ClaimSpec[string]): wanted is ClaimSpec {
  return typeof wanted === 'object' && !Array.isArray(wanted)
}

/** What is wanted as a list: any of its elements will do. */
export function alternatives(wanted: Scalar | readonly Scalar[]): readonly Scalar[] {
  return typeof wanted === 'object' ? wanted : [wanted]
}
