/** One line of a metric. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** A gauge, and where its samples come from. */
export interface GaugeSource {
  readonly name: string
  readonly help: string
  readonly labelNames?: readonly string[]
  /** Called at each scrape. */
  read(): readonly Sample[]
}

/** Prometheus has all times in seconds. */
export const inSeconds = (ms: number) => ms / 1000
