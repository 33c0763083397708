import type { JetonError } from '../errors.ts'

/** A claim as a JWT carries it: any JSON value. */
export type Claim = string | number | boolean | null | readonly Claim[] | { readonly [name: string]: Claim }

/** A verified caller. Nothing unverified ever becomes one. */
export interface Principal {
  /** A name from the configuration (`issuers`), or `apiKey`. Never a URL. */
  readonly issuer: string
  /** The JWT's `sub`, or the name of the API key. */
  readonly subject: string
  /** The whole verified payload of the JWT, `sub` included; empty for an API key. */
  readonly claims: { readonly [name: string]: Claim }
}

/** A way for callers to prove their identity, by a scheme of the `Authorization` header. */
export interface AuthScheme {
  /** As in `Authorization: SCHEME credential`; compared without regard to case (RFC 9110, 11.1). */
  readonly scheme: string
  /**
   * Returns the principal that the credential proves. Throws `unauthenticated` if it proves nothing (neither the message
   * nor the reason quotes the credential), and `temporarily_unavailable` if the keys to verify it with cannot be fetched.
   */
  authenticate(credential: string): Promise<Principal>
  /**
   * Returns at once what `authenticate` would resolve or reject with, if it would wait for nobody; undefined if that is not
   * known before the credential is verified. Never throws.
   */
  recall(credential: string): Principal | JetonError | undefined
}
