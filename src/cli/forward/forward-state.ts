import type { DaemonHealth } from '../../client/daemon/daemon-health.ts'
import { counter, gauge } from '../../client/daemon/metric.ts'
import type { Clock } from '../../lib/clock.ts'
import type { SendOutcome } from './receiver.ts'

/** What `jeton audit forward` knows of itself, for whoever watches it. */
export interface ForwardState {
  readonly health: DaemonHealth
  onAnswer(outcome: SendOutcome): void
  onDelivered(records: number): void
  onMissing(): void
  /** All that is in the log is delivered. */
  onCaughtUp(): void
  /** The log cannot be read, or the cursor cannot be written; undefined once it can. */
  onFault(problem: string | undefined): void
}

/** Returns what counts from the start of the process. It is ready while the last request was accepted and nothing else fails. */
export function createForwardState(clock: Pick<Clock, 'now'>): ForwardState {
  const requests = { accepted: 0, later: 0, refused: 0 }
  let [delivered, gaps, deliveredAt, caughtUpAt] = [0, 0, 0, 0]
  let answerProblem: string | undefined
  let fault: string | undefined
  const at = (value: number) => ({ samples: [{ value }] })
  return {
    health: {
      problem: () => fault ?? answerProblem,
      metrics: () => [
        counter('jeton_forward_records_total', {
          help: 'Records that the receiver acknowledged.',
          ...at(delivered),
        }),
        counter('jeton_forward_requests_total', {
          help: 'Requests to the receiver, by what became of them.',
          samples: Object.entries(requests).map(([outcome, value]) => ({ labels: { outcome }, value })),
        }),
        counter('jeton_forward_gaps_total', {
          help: 'Places in the log where records are missing.',
          ...at(gaps),
        }),
        gauge('jeton_forward_acknowledged_timestamp_seconds', {
          help: 'When the receiver last acknowledged records; 0 for not yet.',
          ...at(deliveredAt / 1000),
        }),
        gauge('jeton_forward_caught_up_timestamp_seconds', {
          help: 'When all that was in the log was last delivered; 0 for not yet.',
          ...at(caughtUpAt / 1000),
        }),
      ],
    },
    onAnswer(outcome) {
      requests[outcome.kind]++
      answerProblem = outcome.kind === 'accepted' ? undefined : `the receiver ${outcome.problem}`
    },
    onDelivered(records) {
      delivered += records
      deliveredAt = clock.now()
    },
    onMissing() {
      gaps++
    },
    onCaughtUp() {
      caughtUpAt = clock.now()
    },
    onFault(problem) {
      fault = problem
    },
  }
}
