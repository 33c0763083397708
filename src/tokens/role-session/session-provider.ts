import { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { singleFlight } from '../../lib/single-flight.ts'
import { canBeVended, outlivesToken } from '../lifetime.ts'
import type { RoleSession } from '../token.ts'
import type { TokenKey } from '../token-key.ts'
import type { AssumeRole } from './assume-role.ts'

/** Where role sessions come from. */
export interface RoleAssumer {
  assume: AssumeRole
  /** Throws what `assume` last failed with, while it is too soon to ask AWS for that role again. */
  check(key: TokenKey): void
}

/** Keeps the role session of one key. It stays in this process. */
export interface SessionProvider {
  /** Whether there is one fit to sign with: it outlives a token, or STS has just returned it and it has not signed yet. */
  isFit(): boolean
  isBeingRenewed(): boolean
  /** Throws at once if there is none to sign with and none can be had for now. */
  check(): void
  /** Returns a new one from STS; concurrent callers share one call. */
  renew(): Promise<RoleSession>
  /**
   * Returns one to sign with, a new one if none is fit. While STS cannot be reached, one that ends sooner than a token
   * would will do: a shorter token is better than none. If AWS refuses the role, it throws `role_refused` all the same.
   */
  getForSigning(): Promise<RoleSession>
  /** Call after each signature. */
  markUsed(): void
  /** Makes the next token be signed with a new one. */
  discard(): void
}

export function createSessionProvider(
  key: TokenKey,
  { roles, clock }: { roles: RoleAssumer; clock: Clock },
): SessionProvider {
  let current: RoleSession | undefined
  let hasSigned = false

  const fitSession = () =>
    current && (!hasSigned || outlivesToken(current, clock.now())) ? current : undefined

  const renew = singleFlight(async () => {
    const session = await roles.assume(key)
    current = session
    hasSigned = false
    return session
  })

  /** Returns the session at hand though STS failed; throws `cause` if there is none, or if AWS refuses the role. */
  function fallBackOn(cause: unknown): RoleSession {
    const isTransient = cause instanceof JetonError && cause.code === 'temporarily_unavailable'
    if (isTransient && current && canBeVended(current, clock.now())) return current
    throw cause
  }

  return {
    isFit: () => fitSession() !== undefined,
    isBeingRenewed: renew.isUnderWay,
    check() {
      if (fitSession()) return
      try {
        roles.check(key)
      } catch (cause) {
        fallBackOn(cause)
      }
    },
    renew,
    async getForSigning() {
      const session = fitSession()
      if (session) return session
      try {
        return await renew()
      } catch (cause) {
        return fallBackOn(cause)
      }
    },
    markUsed() {
      hasSigned = true
    },
    discard() {
      current = undefined
    },
  }
}
