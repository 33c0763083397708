import { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { canBeVended, outlivesToken } from '../lifetime.ts'
import type { RoleSession } from '../token.ts'
import type { TokenKey } from '../token-key.ts'
import type { AssumeRole } from './assume-role.ts'

/** Where role sessions come from. */
export interface RoleAssumer {
  assume: AssumeRole
  /** Throws what `assume` failed with, while it is too soon to ask AWS for that role again. */
  check(key: TokenKey): void
}

/** The role session of one key. It stays in this process. */
export interface SessionProvider {
  /** Whether there is one fit to sign with: it outlives a token, or is the newest that STS gave and has not signed yet. */
  isFit(): boolean
  isBeingRenewed(): boolean
  /** Throws at once where there is none to sign with and none can be had for now. */
  check(): void
  /** A new one from STS, in one flight however many ask. */
  renew(): Promise<RoleSession>
  /**
   * One to sign with, new where there is none that is fit. While STS is out of reach, one that ends sooner than a token
   * would will do: a shorter token beats none. Not so where AWS refuses the role.
   */
  getForSigning(): Promise<RoleSession>
  /** To be told of each signature. */
  markUsed(): void
  /** The next token is to be signed with a new one. */
  discard(): void
}

export function createSessionProvider(
  key: TokenKey,
  { roles, clock }: { roles: RoleAssumer; clock: Clock },
): SessionProvider {
  let current: RoleSession | undefined
  let hasSigned = false
  let flight: Promise<RoleSession> | undefined

  const fitSession = () =>
    current && (!hasSigned || outlivesToken(current, clock.now())) ? current : undefined

  function renew(): Promise<RoleSession> {
    flight ??= roles
      .assume(key)
      .then(session => {
        current = session
        hasSigned = false
        return session
      })
      .finally(() => {
        flight = undefined
      })
    return flight
  }

  /** What there is to sign with though STS fails; throws where there is nothing, or where AWS refuses the role. */
  function inspiteOf(cause: unknown): RoleSession {
    const isPassing = cause instanceof JetonError && cause.code === 'temporarily_unavailable'
    if (isPassing && current && canBeVended(current, clock.now())) return current
    throw cause
  }

  return {
    isFit: () => fitSession() !== undefined,
    isBeingRenewed: () => flight !== undefined,
    check() {
      if (fitSession()) return
      try {
        roles.check(key)
      } catch (cause) {
        inspiteOf(cause)
      }
    },
    renew,
    async getForSigning() {
      const session = fitSession()
      if (session) return session
      try {
        return await renew()
      } catch (cause) {
        return inspiteOf(cause)
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
