import type { Clock } from '../../lib/clock.ts'
import type { DaemonHealth } from '../daemon/daemon-health.ts'
import { counter, gauge } from '../daemon/metric.ts'
import type { FileState } from './agent-files.ts'
import type { LoginState } from './login-states.ts'

export interface AgentHealthParts {
  /** Whether all files were there once. */
  isStarted(): boolean
  logins(): readonly LoginState[]
  files(): readonly FileState[]
  noticeFailures(): number
  clock: Pick<Clock, 'now'>
}

/** Returns what an agent says of itself: it is ready while every file is there and no token in them has ended. */
export function createAgentHealth({
  isStarted,
  logins,
  files,
  noticeFailures,
  clock,
}: AgentHealthParts): DaemonHealth {
  return {
    problem() {
      const problems = [...logins().flatMap(loginProblem), ...files().flatMap(({ problem }) => problem ?? [])]
      if (problems.length > 0) return problems.join('; ')
      return isStarted() ? undefined : 'the files are not written yet'
    },
    metrics: () => [
      gauge('jeton_agent_token_expiry_timestamp_seconds', {
        help: 'When the token of a login ends, by the clock of this machine; 0 without a token.',
        samples: logins().map(({ name, leftMs }) => ({
          labels: { login: name },
          value: leftMs > 0 ? seconds(clock.now() + leftMs) : 0,
        })),
      }),
      counter('jeton_agent_renewals_total', {
        help: 'New tokens of a login.',
        samples: logins().map(({ name, renewals }) => ({ labels: { login: name }, value: renewals })),
      }),
      counter('jeton_agent_renewal_failures_total', {
        help: 'Questions for the token of a login that got none.',
        samples: logins().map(({ name, failures }) => ({ labels: { login: name }, value: failures })),
      }),
      gauge('jeton_agent_file_change_timestamp_seconds', {
        help: 'When this agent last changed a file.',
        samples: files().flatMap(({ path, changedAt }) =>
          changedAt === undefined ? [] : [{ labels: { file: path }, value: seconds(changedAt) }],
        ),
      }),
      counter('jeton_agent_write_failures_total', {
        help: 'Attempts to write a file that failed.',
        samples: files().map(({ path, failures }) => ({ labels: { file: path }, value: failures })),
      }),
      counter('jeton_agent_notice_failures_total', {
        help: 'Runs of --on-change, or signals, that failed.',
        samples: [{ value: noticeFailures() }],
      }),
    ],
  }
}

function loginProblem({ name, leftMs, renewals }: LoginState): string[] {
  if (leftMs > 0) return []
  return [renewals === 0 ? `there is no token for ${name} yet` : `the token for ${name} has ended`]
}

function seconds(ms: number): number {
  return Math.round(ms / 1000)
}
