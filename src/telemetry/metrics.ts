/** How one request ended, as far as metrics tell requests apart. */
export interface DecisionEvent {
  readonly decision: string
  /** The error's code; undefined if a token was vended. */
  readonly code?: string | undefined
  readonly grant?: string | undefined
  readonly database?: string | undefined
  readonly cached?: boolean | undefined
}

/** One batch of records that an audit sink took or refused. */
export interface AuditBatch {
  readonly sink: string
  readonly records: number
  readonly durationMs: number
  readonly ok: boolean
}

/** One call that went through to the store. A conflict means that another instance was quicker. */
export interface StoreCall {
  readonly call: 'read' | 'swap'
  readonly outcome: 'ok' | 'conflict' | 'failed'
  readonly durationMs: number
}

/** What the audit log reports. */
export interface AuditLogMetrics {
  appended(batch: AuditBatch): void
  refusalsDropped(drop: { sink: string; count: number }): void
}

/** What the store reports. */
export interface StoreMetrics {
  storeCalled(call: StoreCall): void
  /** Called for each refusal because of a record that this instance cannot decrypt. */
  storeUnreadable(): void
}

/**
 * The port through which jeton's parts report numbers. Labels are names of the configuration and codes: few of them, and
 * never a secret. `prometheus.ts` implements it.
 */
export interface Metrics extends AuditLogMetrics, StoreMetrics {
  /** Called once for each audited request. */
  decided(event: DecisionEvent): void
  /** Called for each token vended. */
  answered(vend: { durationMs: number }): void
  minted(database: string): void
  /** By how much the machine's clock is corrected from now on, in milliseconds; 0 when it is right again. */
  clockCorrected(offsetMs: number): void
}

/** Drops every event. Loads no metrics library. */
export const NO_METRICS: Metrics = {
  decided() {},
  answered() {},
  minted() {},
  clockCorrected() {},
  appended() {},
  refusalsDropped() {},
  storeCalled() {},
  storeUnreadable() {},
}
