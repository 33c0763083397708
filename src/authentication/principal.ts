/** A claim as a JWT carries it: any JSON value. */
export type Claim = string | number | boolean | null | readonly Claim[] | { readonly [name: string]: Claim }

/** The verified identity of who asks. Nothing unverified ever becomes one. */
export interface Principal {
  /** A name from the configuration (`issuers`), or `apiKey`. Never a URL. */
  readonly issuer: string
  /** The JWT's `sub`, or the name of the API key. */
  readonly subject: string
  /** The whole verified payload of the JWT, `sub` included; empty for an API key. */
  readonly claims: { readonly [name: string]: Claim }
}

/** One way in: a scheme of the `Authorization` header and what verifies it. */
export interface AuthScheme {
  /** As in `Authorization: SCHEME credential`; compared without regard to case (RFC 9110, 11.1). */
  readonly scheme: string
  /**
   * Gives the principal that the credential proves.
   * Throws `unauthenticated` where it proves nothing (the reason never quotes the credential), and
   * `temporarily_unavailable` where the keys to check it by cannot be had.
   */
  authenticate(credential: string): Promise<Principal>
}
