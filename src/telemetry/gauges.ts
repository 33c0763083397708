import { Counter, Gauge, type Registry } from 'prom-client'
import { cacheGauges } from './cache-gauges.ts'
import { instanceGauges } from './instance-gauges.ts'
import { rateGauges } from './rate-gauges.ts'
import type { Readings } from './readings.ts'

export interface GaugesParts {
  registry: Registry
  readings: Readings
  /** That of the readings. */
  clock: { now(): number }
}

/**
 * Registers the gauges of readings, and the counter of new tokens. They are read when they are scraped, and cost nothing
 * before. What the configuration names no more has no series.
 */
export function registerGauges({ registry, readings, clock }: GaugesParts): void {
  const rates = oncePerScrape(readings.rates)
  const liveTokens = oncePerScrape(readings.liveTokens)
  const shared = { ...readings, rates, liveTokens }
  const registers = [registry]
  const sources = [...rateGauges(rates, clock), ...cacheGauges(shared), ...instanceGauges(readings)]
  for (const { name, help, labelNames = [], read } of sources)
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        // without labels there is a series even after that
        if (labelNames.length === 0) this.remove()
        for (const { labels = {}, value } of read()) this.set(labels, value)
      },
    })
  new Counter({
    name: 'jeton_new_tokens_total',
    help: 'New tokens that this instance has delivered: those that count for the limit',
    labelNames: ['resource'],
    registers,
    collect() {
      this.reset()
      for (const { resource, delivered } of rates()) this.inc({ resource }, delivered)
    },
  })
}

/** Returns a function whose calls share one reading: a scrape asks all metrics before anything else runs. */
function oncePerScrape<T>(read: () => T): () => T {
  let last: { readonly value: T } | undefined
  return () => {
    if (last) return last.value
    const value = read()
    last = { value }
    queueMicrotask(() => {
      last = undefined
    })
    return value
  }
}
