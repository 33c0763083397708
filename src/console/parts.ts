import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RecentRecords } from '../audit/recent-records.ts'
import type { CompiledGrants } from '../authorization/compiled-grants.ts'
import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../telemetry/log.ts'
import type { Readings } from '../telemetry/readings.ts'
import type { Asset } from './assets.ts'

/** What the console shows, and what its pages load. */
export interface ConsoleParts {
  readings: Readings
  recentRecords: RecentRecords
  /** Reads the fleet's slots of each resource that was not read within the last second. Never rejects. */
  refreshFleetSlots(): Promise<void>
  /** The configuration in use. */
  currentConfig(): Config
  /** Its grants, ready to be matched. */
  currentGrants(): CompiledGrants
  /** The one that it replaced; undefined for that of the start. */
  replacedConfig(): Config | undefined
  clock: Clock
  log: Log
  assets: ReadonlyMap<string, Asset>
  /** Whether it listens on loopback, where requests must name this machine. */
  isOnLoopback: boolean
  /** Rejects with a `JetonError` for whoever may not see the console, and records that. Undefined if nobody is asked. */
  admit?: ((request: FastifyRequest, reply: FastifyReply) => Promise<void>) | undefined
}
