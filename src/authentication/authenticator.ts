import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { createApiKeyScheme } from './api-key.ts'
import { createJwtScheme, type TrustedIssuer } from './jwt.ts'
import type { AuthScheme, Principal } from './principal.ts'
import { unauthenticated } from './unauthenticated.ts'

export interface SchemesOptions {
  issuers: readonly TrustedIssuer[]
  /** For each name, the hex SHA-256 of every key that proves it. */
  apiKeys: Readonly<Record<string, readonly string[]>>
  clock: Clock
  /** Returns what a policy keeps for a principal beyond what it keeps for all, in bytes. Default: nothing. */
  extraBytesOf?: ((principal: Principal) => number) | undefined
}

/** Returns every authentication scheme for one access policy. Another policy needs its own: they cache what they verified. */
export function createSchemes({ apiKeys, ...jwtOptions }: SchemesOptions): AuthScheme[] {
  return [createJwtScheme(jwtOptions), createApiKeyScheme({ keys: apiKeys })]
}

export interface Authenticator {
  /** Returns the principal that the value of an `Authorization` header proves. Throws as `AuthScheme.authenticate` does. */
  authenticate(authorization: string | undefined): Promise<Principal>
  /** Returns at once what `authenticate` would resolve or reject with; undefined if it must be verified first. Never throws. */
  recall(authorization: string | undefined): Principal | JetonError | undefined
}

/** RFC 9110, 11.4, with a token68 for the credential: `SCHEME credential` and nothing after it. */
const CREDENTIALS = /^([\w!#$%&'*+.^`|~-]+) +([\w.~+/-]+=*)$/

/**
 * Returns an authenticator that finds the scheme by the `Authorization` header, without regard to case (RFC 9110, 11.1).
 * Its errors never quote a header that does not parse: a caller that forgets the scheme sends the bare secret.
 */
export function createAuthenticator(schemes: readonly AuthScheme[]): Authenticator {
  const schemeByName = new Map(schemes.map(scheme => [scheme.scheme.toLowerCase(), scheme]))
  const accepted = `send Authorization: ${schemes.map(({ scheme }) => `${scheme} ...`).join(' or ')}`

  /** Returns the scheme and the credential of a header; else the refusal. */
  function read(authorization: string | undefined) {
    if (!authorization) return unauthenticated(`no credential; ${accepted}`)
    const [, name, credential] = CREDENTIALS.exec(authorization) ?? []
    if (!name || !credential) return unauthenticated(`the Authorization header is malformed; ${accepted}`)
    const scheme = schemeByName.get(name.toLowerCase())
    return scheme
      ? { scheme, credential }
      : unauthenticated(`the scheme of the Authorization header is unknown; ${accepted}`)
  }

  return {
    async authenticate(authorization) {
      const shown = read(authorization)
      if (shown instanceof JetonError) throw shown
      return shown.scheme.authenticate(shown.credential)
    },
    recall(authorization) {
      const shown = read(authorization)
      return shown instanceof JetonError ? shown : shown.scheme.recall(shown.credential)
    },
  }
}
