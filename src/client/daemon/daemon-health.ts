import type { Metric } from './metric.ts'

/** What `jeton proxy` and `jeton agent` say of themselves to whoever watches them. None of it is secret. */
export interface DaemonHealth {
  /** Returns why it is not ready, in a sentence; undefined if it is. */
  problem(): string | undefined
  metrics(): readonly Metric[]
}
