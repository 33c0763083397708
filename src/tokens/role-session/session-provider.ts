import { asJetonError, JetonError } from '../../errors.ts'
import type { BackgroundTasks } from '../../lib/background-tasks.ts'
import type { Clock } from '../../lib/clock.ts'
import { withTimeout } from '../../lib/deadline.ts'
import { singleFlight } from '../../lib/single-flight.ts'
import { remainingMs } from '../../lib/time-window.ts'
import { canBeVended, outlivesToken } from '../lifetime.ts'
import type { RoleSession } from '../token.ts'
import type { TokenKey } from '../token-key.ts'
import type { AssumeRole } from './assume-role.ts'

/**
 * How long a caller waits for a session (ms). The call to STS has more time and goes on beside: what it returns serves who
 * comes back.
 */
export const SESSION_WAIT_MS = 5000
/** When to come back for it (ms): who comes too soon waits for the same call. */
const RETRY_AFTER_MS = 1000
/** Between getting a session and signing with it lies the slot. */
const SIGNING_ALLOWANCE_MS = 6000
/** How long a session that STS made too short for a caller's minimum counts as what STS would return again. */
const TOO_SHORT_MS = 60_000

/** The port through which role sessions are obtained. */
export interface RoleAssumer {
  assume: AssumeRole
  /** Throws the last failure of `assume` while it is too soon to call AWS for that role again. */
  check(key: TokenKey): void
}

/**
 * Keeps the role session of one key. It stays in this process. `minimumMs` is how long the token to be signed must last at
 * least, if a caller named that: a session that ends sooner is as good as none.
 */
export interface SessionProvider {
  /** Whether a session is fit to sign with: it outlives a token, or is new from STS and has not signed yet. */
  isFit(minimumMs?: number): boolean
  /** Whether a call for a new session is under way. */
  isBeingRenewed(): boolean
  /** Throws at once if there is no session to sign with, and STS would return none now. */
  check(minimumMs?: number): void
  /** Returns a new session from STS, however long that takes; concurrent callers share one call, which needs none of them. */
  renew(): Promise<RoleSession>
  /**
   * Returns a session to sign with; a new one from STS if none is fit. While STS cannot be reached, or takes longer than 5 s,
   * also a session that ends before a token would: a shorter token is better than none. Throws `role_refused` if AWS refuses
   * the role, and `temporarily_unavailable` after 5 s, while the call goes on, or if STS makes sessions too short.
   */
  getForSigning(minimumMs?: number): Promise<RoleSession>
  /** Call after each signature. */
  markUsed(): void
  /** When the session ends (ms); undefined if there is none. */
  readonly expiresAt: number | undefined
  /** Forgets the session, so that a new one signs the next token. */
  discard(): void
}

export interface SessionProviderParts {
  roles: RoleAssumer
  clock: Clock
  /** Tracks calls that outlive their callers. */
  backgroundTasks: BackgroundTasks
}

/** Returns the session provider of a key, without a session at first. */
export function createSessionProvider(
  key: TokenKey,
  { roles, clock, backgroundTasks }: SessionProviderParts,
): SessionProvider {
  let current: RoleSession | undefined
  let hasSigned = false
  /** When STS returned the current session (ms). */
  let assumedAt = 0

  function fitSession(minimumMs: number | undefined): RoleSession | undefined {
    if (!current || (hasSigned && !outlivesToken(current, clock.now()))) return undefined
    return leavesMinimum(current, { at: clock.now(), minimumMs }) ? current : undefined
  }

  /** Throws if STS has just returned a session that was too short from the beginning: another would be no longer. */
  function checkLength(minimumMs: number | undefined): void {
    if (!current || leavesMinimum(current, { at: assumedAt, minimumMs })) return
    const retryAfterMs = remainingMs({ since: assumedAt, forMs: TOO_SHORT_MS }, clock.now())
    if (retryAfterMs > 0) throw shortSessions(key, retryAfterMs)
  }

  const renewal = singleFlight(async () => {
    const session = await roles.assume(key)
    current = session
    assumedAt = clock.now()
    hasSigned = false
    return session
  })

  function renew(): Promise<RoleSession> {
    if (renewal.isUnderWay()) return renewal()
    const begun = renewal()
    backgroundTasks.add(begun)
    return begun
  }

  /** Returns the current session although STS failed; throws `cause` if it ends too soon, or if AWS refuses the role. */
  function fallBackOn(cause: unknown, minimumMs: number | undefined): RoleSession {
    const isTransient = asJetonError(cause).code === 'temporarily_unavailable'
    const now = clock.now()
    if (isTransient && current && canBeVended(current, now) && leavesMinimum(current, { at: now, minimumMs }))
      return current
    throw cause
  }

  return {
    isFit: minimumMs => fitSession(minimumMs) !== undefined,
    isBeingRenewed: renewal.isUnderWay,
    check(minimumMs) {
      if (fitSession(minimumMs)) return
      checkLength(minimumMs)
      try {
        roles.check(key)
      } catch (cause) {
        fallBackOn(cause, minimumMs)
      }
    },
    renew,
    async getForSigning(minimumMs) {
      const session = fitSession(minimumMs)
      if (session) return session
      try {
        const timedOut = () => slowSts(key)
        const renewed = await withTimeout(renew, { clock, timeoutMs: SESSION_WAIT_MS, timedOut })
        checkLength(minimumMs)
        return renewed
      } catch (cause) {
        return fallBackOn(cause, minimumMs)
      }
    },
    markUsed() {
      hasSigned = true
    },
    get expiresAt() {
      return current?.expiresAt
    },
    discard() {
      current = undefined
    },
  }
}

function leavesMinimum(
  session: RoleSession,
  { at, minimumMs }: { at: number; minimumMs: number | undefined },
): boolean {
  return minimumMs === undefined || canBeVended(session, at, minimumMs + SIGNING_ALLOWANCE_MS)
}

function shortSessions({ database, sessionName }: TokenKey, retryAfterMs: number): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'AWS returns credentials that end sooner than minimumSeconds asks for; ask for less',
    reason: `STS returned a session ${sessionName} of ${database.roleArn} that ends sooner than a token of minimumSeconds would`,
    retryAfterMs,
  })
}

function slowSts({ database, sessionName }: TokenKey): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'AWS STS is slow; try again',
    reason: `there was no session ${sessionName} of ${database.roleArn} within 5 s: STS has not answered, or others of this role come first. A call under way goes on, and its session serves the next request. If this lasts, check jeton's network, its proxy, and the region of STS (AWS_REGION)`,
    retryAfterMs: RETRY_AFTER_MS,
  })
}
