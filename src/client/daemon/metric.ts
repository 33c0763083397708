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

type MetricContent = Pick<Metric, 'help' | 'samples'>

/** Returns what goes up and down. */
export function gauge(name: string, content: MetricContent): Metric {
  return { name, type: 'gauge', ...content }
}

/** Returns what only grows, from 0 at the start of the process. */
export function counter(name: string, content: MetricContent): Metric {
  return { name, type: 'counter', ...content }
}
