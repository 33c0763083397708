import type { Clock } from '../../lib/clock.ts'
import { createLogThrottle, type LogThrottle } from '../../lib/log-throttle.ts'
import type { Log, LogFields } from '../../telemetry/log.ts'
import { lifeMsOf } from '../library/held-token.ts'
import type { Stopwatch } from '../library/stopwatch.ts'
import type { TokenError } from '../library/token-error.ts'
import type { VendedToken } from '../library/types.ts'
import type { TokenReply } from '../token-reply.ts'
import type { SessionError, SessionFailure } from './session-error.ts'

/** What is counted of one database. */
export interface DatabaseCounts {
  opened: number
  ended: number
  readonly failed: Map<FailureReason, number>
  tokensReceived: number
  tokensFailed: number
  tokensRefused: number
  bytesToServer: number
  bytesToClient: number
}

export type FailureReason = SessionFailure | 'client_gone' | 'bug'

export interface DatabaseWatch {
  readonly counts: DatabaseCounts
  sessionOpened(): void
  sessionEnded(bytes: { toServer: number; toClient: number }): void
  sessionFailed(error: SessionError, reason: FailureReason): void
  tokenReceived(reply: TokenReply): void
  tokenFailed(error: TokenError): void
  tokenRefused(token: VendedToken): void
  /** In milliseconds; negative once it has ended, undefined without one. */
  tokenLeftMs(): number | undefined
  /** Returns why logins fail now; undefined if they need not. */
  problem(): string | undefined
}

export interface DatabaseWatchParts {
  database: string
  log: Log
  /** Returns what the log may have of a bug. */
  nameAndStack(cause: unknown): object
  clock: Pick<Clock, 'now'>
  startStopwatch(): Stopwatch
}

/** A line that is written once in a minute, whatever happens. */
interface ThrottledLine {
  fields: LogFields
  msg: string
  /** Default: warn. */
  level?: 'warn' | 'error'
}

/** Returns what counts the sessions and tokens of one database, and logs what fails: of each kind, a line in a minute. */
export function watchDatabase(parts: DatabaseWatchParts): DatabaseWatch {
  const { database, log, clock, startStopwatch } = parts
  const counts: DatabaseCounts = {
    opened: 0,
    ended: 0,
    failed: new Map(),
    tokensReceived: 0,
    tokensFailed: 0,
    tokensRefused: 0,
    bytesToServer: 0,
    bytesToClient: 0,
  }
  const lines = new Map<string, { throttle: LogThrottle; unsaid: number }>()
  let tokenFailure: string | undefined
  let held: { lifeMs: number; ageMs: Stopwatch } | undefined

  function say(kind: string, { fields, msg, level = 'warn' }: ThrottledLine): void {
    const line = lines.get(kind) ?? { throttle: createLogThrottle(), unsaid: 0 }
    lines.set(kind, line)
    line.unsaid++
    if (!line.throttle.admit(clock.now())) return
    log[level]({ database, count: line.unsaid, ...fields }, msg)
    line.unsaid = 0
  }

  const tokenLeftMs = () => held && held.lifeMs - held.ageMs()

  return {
    counts,
    sessionOpened() {
      counts.opened++
    },
    sessionEnded({ toServer, toClient }) {
      counts.ended++
      counts.bytesToServer += toServer
      counts.bytesToClient += toClient
    },
    sessionFailed({ message, cause }, reason) {
      counts.failed.set(reason, (counts.failed.get(reason) ?? 0) + 1)
      if (reason === 'client_gone' || reason === 'ending') return
      if (reason === 'bug')
        return say(reason, {
          level: 'error',
          fields: { event: 'proxy_failed', ...parts.nameAndStack(cause) },
          msg: BUG,
        })
      say(reason, { fields: { event: 'proxy_session_failed', reason }, msg: message })
    },
    tokenReceived(reply) {
      const { expiresAt, fingerprint, auditId } = reply
      held = { lifeMs: lifeMsOf(reply), ageMs: startStopwatch() }
      counts.tokensReceived++
      const fields = { database, fingerprint, expiresAt, auditId }
      const wasFailing = tokenFailure !== undefined
      tokenFailure = undefined
      lines.get('token')?.throttle.reset()
      if (wasFailing) log.info({ event: 'proxy_token_recovered', ...fields }, 'jeton gives tokens again')
      else log.info({ event: 'proxy_token_received', ...fields }, 'jeton gave a token')
    },
    tokenFailed({ message, code, requestId, auditId }) {
      counts.tokensFailed++
      tokenFailure = message
      say('token', { fields: { event: 'proxy_token_failed', code, requestId, auditId }, msg: message })
    },
    tokenRefused({ fingerprint, auditId }) {
      counts.tokensRefused++
      const fields = { event: 'proxy_token_refused', fingerprint, auditId } as const
      say('refused', { fields, msg: 'the database refused a token: jeton is asked for another' })
    },
    tokenLeftMs,
    problem: () => ((tokenLeftMs() ?? 0) > 0 ? undefined : tokenFailure),
  }
}

const BUG = 'a session failed because of a bug in jeton; please report this line'
