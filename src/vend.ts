import type { AuditRecord } from './audit/record.ts'
import type { Rules } from './config/rules.ts'
import type { Granted, Standing } from './config/standing.ts'
import { JetonError } from './errors.ts'
import type { CompiledGrant } from './grants/compile.ts'
import type { Ask } from './grants/grant.ts'
import { isoSeconds } from './time-text.ts'
import type { Book } from './tokens/book.ts'
import type { TokenKey } from './tokens/key.ts'
import type { Token } from './tokens/token.ts'
import type { Trail } from './trail.ts'

export interface Credential {
  readonly rules: Rules
  readonly trail: Trail
  /** The value of the `Authorization` header. */
  readonly authorization: string | undefined
}

/** Request → principal. Throws `unauthenticated`, or `temporarily_unavailable` where the keys to check by cannot be had. */
export async function identify({ rules, trail, authorization }: Credential): Promise<Standing> {
  const standing = rules.standingOf(await rules.callers.identify(authorization))
  trail.note({ principal: standing.recorded })
  return standing
}

export interface VendAsk {
  readonly standing: Standing
  readonly trail: Trail
  readonly ask: Ask
  /** Fingerprint of a token that the database refused. */
  readonly refused?: string | undefined
}

export interface Vended {
  readonly token: Token
  readonly key: TokenKey
  readonly grant: CompiledGrant
  /** False only for the request that minted the token. */
  readonly cached: boolean
}

export type Vend = (asked: VendAsk) => Promise<Vended>

/**
 * Principal → grant → token → record: what it gives is in every log, and only then may it leave. Throws `access_denied`,
 * `invalid_request` where several users are granted and none was named, and what `Book.current` and `Trail.vended` throw.
 */
export function createVend(book: Book): Vend {
  /** Of a token, what its records say; the same for everyone who gets it from the cache. */
  const facts = new WeakMap<Token, Partial<AuditRecord>>()

  function factsOf(token: Token, cached: boolean): Partial<AuditRecord> {
    const known = cached && facts.get(token)
    if (known) return known
    const { identity, fingerprint, issuedAt, expiresAt } = token
    const times = { issuedAt: isoSeconds(issuedAt), expiresAt: isoSeconds(expiresAt) }
    const told = { identity, fingerprint, ...times, cached }
    if (cached) facts.set(token, told)
    return told
  }

  return async ({ standing, trail, ask, refused }) => {
    trail.note({ database: ask.database, user: ask.user, refused })
    const { grant, user, key } = granted(standing, ask)
    trail.note({ grant: grant.name, user })
    const { token, cached, handOut, keepBack } = await book.current(key, { refused })
    trail.note(factsOf(token, cached))
    await trail.vended().catch(cause => {
      keepBack()
      throw cause
    })
    await handOut()
    return { token, key, grant, cached }
  }
}

function granted(standing: Standing, ask: Ask): Granted {
  const decision = standing.decide(ask)
  switch (decision.kind) {
    case 'granted':
      return decision
    case 'user-required':
      throw new JetonError('invalid_request', {
        publicMessage: `name a user: ${decision.users.join(', ')} are granted`,
      })
    case 'denied':
      // an unknown database and one that is not granted must look the same
      throw new JetonError('access_denied', {
        publicMessage: 'no grant allows this principal a token for this database and user',
        reason: standing.reason(ask),
      })
  }
}
