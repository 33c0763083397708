import type { Readings } from './readings.ts'

/** How one request ended: the labels of its metric. */
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

/** One call that reached the store. A conflict means that another instance was quicker. */
export interface StoreCall {
  readonly call: 'read' | 'swap'
  readonly outcome: 'ok' | 'conflict' | 'failed'
  readonly durationMs: number
}

/** The events of the audit log. */
export interface AuditLogMetrics {
  /** Called for each batch that a sink has written, or failed to write. */
  onBatchWritten(batch: AuditBatch): void
  /** Called for each refusal that is only counted, with what it exceeds a limit of: `address`, `principal`, `grant`, … */
  onRefusalCounted(limitOf: string): void
  /** Called for refusals that are only counted, because their queue is full. */
  onRefusalsDropped(drop: { sink: string; count: number }): void
}

/** The events of the store. */
export interface StoreMetrics {
  onStoreCalled(call: StoreCall): void
  /** Called for each call that is refused because of a record that this instance cannot decrypt. */
  onRecordUnreadable(): void
}

/** The events of the connections to the API's listener. */
export interface ConnectionMetrics {
  /** Called with the number of open connections when it changes. */
  onConnectionsChanged(open: number): void
  /**
   * Called for each connection that jeton ended: an idle one for a new one, a new one that it refused, and one whose reply
   * was not read.
   */
  onConnectionCut(reason: 'idle' | 'refused' | 'unread'): void
}

/**
 * The port through which jeton's parts report numbers. Labels are names of the configuration and codes: few of them, and
 * never a secret. `prometheus.ts` implements it.
 */
export interface Metrics extends AuditLogMetrics, ConnectionMetrics, StoreMetrics {
  /** Called once, when readings can be taken, with the clock that their times are of. */
  onReadable(readings: Readings, clock: { now(): number }): void
  /**
   * Called for each slot that a caller gets, with how long it waited and the resource's name in readings; undefined if a reload
   * has just removed that.
   */
  onSlotGiven(given: { resource: string | undefined; waitedMs: number }): void
  /** Called once for each audited request. */
  onDecided(event: DecisionEvent): void
  /** Called for each token vended, with the time since its request arrived. */
  onVended(vend: { durationMs: number }): void
  /** Called for each token signed, with the name of its database. */
  onMinted(database: string): void
  /** Called when the clock's correction changes: in milliseconds, 0 if it needs none. */
  onClockCorrected(offsetMs: number): void
}

/** Drops every event. Loads no metrics library. */
export const NO_METRICS: Metrics = {
  onReadable() {},
  onSlotGiven() {},
  onDecided() {},
  onVended() {},
  onMinted() {},
  onClockCorrected() {},
  onBatchWritten() {},
  onRefusalCounted() {},
  onRefusalsDropped() {},
  onStoreCalled() {},
  onRecordUnreadable() {},
  onConnectionsChanged() {},
  onConnectionCut() {},
}
