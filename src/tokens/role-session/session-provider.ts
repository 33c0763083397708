import { asJetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { singleFlight } from '../../lib/single-flight.ts'
import { canBeVended, outlivesToken } from '../lifetime.ts'
import type { RoleSession } from '../token.ts'
import type { TokenKey } from '../token-key.ts'
import type { AssumeRole } from './assume-role.ts'

/** The port through which role sessions are obtained. */
export interface RoleAssumer {
  assume: AssumeRole
  /** Throws the last failure of `assume` while it is too soon to call AWS for that role again. */
  check(key: TokenKey): void
}

/** Keeps the role session of one key. It stays in this process. */
export interface SessionProvider {
  /** Whether a session is fit to sign with: it outlives a token, or is new from STS and has not signed yet. */
  isFit(): boolean
  /** Whether a call for a new session is under way. */
  isBeingRenewed(): boolean
  /** Throws at once if there is no session to sign with, and STS would return none now. */
  check(): void
  /** Returns a new session from STS; concurrent callers share one call. */
  renew(): Promise<RoleSession>
  /**
   * Returns a session to sign with; a new one from STS if none is fit. While STS cannot be reached, also a session that
   * ends before a token would: a shorter token is better than none. Throws `role_refused` if AWS refuses the role.
   */
  getForSigning(): Promise<RoleSession>
  /** Call after each signature. */
  markUsed(): void
  /** Forgets the session, so that a new one signs the next token. */
  discard(): void
}

/** Returns the session provider of a key, without a session at first. */
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

  /** Returns the current session although STS failed; throws `cause` if it ends too soon, or if AWS refuses the role. */
  function fallBackOn(cause: unknown): RoleSession {
    const isTransient = asJetonError(cause).code === 'temporarily_unavailable'
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
