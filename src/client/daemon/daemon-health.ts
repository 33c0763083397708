/** One number of `/metrics`: its samples differ by their labels. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly samples: readonly MetricSample[]
}

export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** What `jeton proxy` and `jeton agent` say of themselves to whoever watches them. None of it is secret. */
export interface DaemonHealth {
  /** Returns why it is not ready, in a sentence; undefined if it is. */
  problem(): string | undefined
  metrics(): readonly Metric[]
}
