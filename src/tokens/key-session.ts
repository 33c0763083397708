import type { Clock } from '../clock.ts'
import { JetonError } from '../errors.ts'
import type { Assume } from './assume.ts'
import type { TokenKey } from './key.ts'
import { canBeVended, outlivesToken } from './lifetime.ts'
import type { RoleSession } from './token.ts'

/** The role session of one key. It stays in this process. */
export interface KeySession {
  /** Whether there is one fit to sign with: it outlives a token, or is the newest that STS gave and has not signed yet. */
  isFit(): boolean
  isBeingRenewed(): boolean
  /** A new one from STS, in one flight however many ask. */
  renew(): Promise<RoleSession>
  /**
   * One to sign with, new where there is none that is fit. While STS is out of reach, one that ends sooner than a token
   * would will do: a shorter token beats none. Not so where AWS refuses the role.
   */
  forSigning(): Promise<RoleSession>
  /** To be told of each signature. */
  signed(): void
  /** The next token is to be signed with a new one. */
  forget(): void
}

export function createKeySession(
  key: TokenKey,
  { assume, clock }: { assume: Assume; clock: Clock },
): KeySession {
  let current: RoleSession | undefined
  let hasSigned = false
  let flight: Promise<RoleSession> | undefined

  const fitSession = () =>
    current && (!hasSigned || outlivesToken(current, clock.now())) ? current : undefined

  function renew(): Promise<RoleSession> {
    flight ??= assume(key)
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

  return {
    isFit: () => fitSession() !== undefined,
    isBeingRenewed: () => flight !== undefined,
    renew,
    async forSigning() {
      const session = fitSession()
      if (session) return session
      try {
        return await renew()
      } catch (cause) {
        const isPassing = cause instanceof JetonError && cause.code === 'temporarily_unavailable'
        if (isPassing && current && canBeVended(current, clock.now())) return current
        throw cause
      }
    },
    signed() {
      hasSigned = true
    },
    forget() {
      current = undefined
    },
  }
}
