import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Readings } from '../telemetry/readings.ts'
import type { Asset } from './assets.ts'

/** What the console shows, and what its pages load. */
export interface ConsoleParts {
  readings: Readings
  /** The configuration in use. */
  currentConfig(): Config
  clock: Clock
  assets: ReadonlyMap<string, Asset>
}
