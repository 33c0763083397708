/** What the JWTs of an issuer are made for, by the configuration: one of them is enough. */
export type Audience = string | readonly string[]

/** Returns the audiences that an issuer accepts. */
export function audiencesOf({ audience }: { readonly audience: Audience }): readonly string[] {
  return typeof audience === 'string' ? [audience] : audience
}

/** Whether the `aud` of a JWT, a text or a list (RFC 7519, 4.1.3), has one of the audiences that an issuer accepts. */
export function acceptsAudience(issuer: { readonly audience: Audience }, aud: unknown): boolean {
  return audiencesOf(issuer).some(
    audience => aud === audience || (Array.isArray(aud) && aud.includes(audience)),
  )
}
