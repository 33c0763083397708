import type { Clock } from '../../lib/clock.ts'
import { createLogThrottle } from '../../lib/log-throttle.ts'
import type { Log } from '../../telemetry/log.ts'
import { type CallerError, errorText } from '../errors.ts'
import type { KeptToken } from './kept-token.ts'

/** What is known of one login. */
export interface LoginState {
  readonly name: string
  /** How long its token lasts, in milliseconds; 0 if it has ended or there is none. */
  readonly leftMs: number
  readonly renewals: number
  readonly failures: number
}

export interface LoginStatesParts {
  tokens: readonly KeptToken[]
  clock: Pick<Clock, 'now'>
  log: Log
}

/** All logins of an agent. */
export interface LoginStates {
  /** Has every token renewed for which it is time, or all of them; returns why there is none, for each that failed. */
  renew(options?: { isAsked?: boolean }): Promise<CallerError[]>
  /** How long until it is time for the next of them, in milliseconds. */
  nextMs(): number
  states(): readonly LoginState[]
}

/** Returns the logins of these tokens, of which none waits for another, with a log of what becomes of them. */
export function createLoginStates({ tokens, clock, log }: LoginStatesParts): LoginStates {
  const logins = tokens.map(token => ({
    token,
    renewals: 0,
    failures: 0,
    /** Why the last question failed, if it did. */
    error: undefined as CallerError | undefined,
    throttle: createLogThrottle(),
    endThrottle: createLogThrottle(),
  }))
  type Login = (typeof logins)[number]

  async function renewOne(login: Login, isAsked: boolean): Promise<CallerError[]> {
    const renewal = await login.token.renew({ isAsked })
    if (renewal && 'error' in renewal) {
      login.failures++
      login.error = renewal.error
    } else if (renewal) {
      login.error = undefined
      login.throttle.reset()
      login.endThrottle.reset()
      if (renewal.isNew) noteNew(login)
    }
    if (login.error) logFailure(login, login.error)
    return login.error ? [login.error] : []
  }

  function noteNew(login: Login): void {
    login.renewals++
    const { wanted, answer } = login.token
    const { user, fingerprint, expiresAt, auditId } = answer()?.reply ?? {}
    const fields = { database: wanted.name, user, fingerprint, expiresAt, auditId }
    log.info({ event: 'agent_token_renewed', ...fields }, `there is a new token for ${wanted.name}`)
  }

  function logFailure({ token, renewals, ...login }: Login, error: CallerError): void {
    const { name } = token.wanted
    const leftMs = token.leftMs()
    const hasEnded = leftMs === 0 && renewals > 0
    // the end is said at once, whatever was said before
    const throttle = hasEnded ? login.endThrottle : login.throttle
    if (!throttle.admit(clock.now())) return
    const fields = {
      database: name,
      code: error.code,
      secondsLeft: Math.floor(leftMs / 1000),
      nextAttemptSeconds: Math.ceil(token.nextMs() / 1000),
    }
    const why = errorText(error)
    if (hasEnded)
      log.error(
        { event: 'agent_token_ended', ...fields },
        `the token for ${name} has ended, and there is no other: ${why}`,
      )
    else
      log.warn(
        { event: 'agent_renewal_failed', ...fields },
        renewals === 0
          ? `there is no token for ${name}: ${why}`
          : `there is no newer token for ${name}, and the last one is kept, which is still good: ${why}`,
      )
  }

  return {
    async renew({ isAsked = false } = {}) {
      return (await Promise.all(logins.map(login => renewOne(login, isAsked)))).flat()
    },
    nextMs: () => Math.min(...tokens.map(token => token.nextMs())),
    states: () =>
      logins.map(({ token, renewals, failures }) => ({
        name: token.wanted.name,
        leftMs: token.leftMs(),
        renewals,
        failures,
      })),
  }
}
