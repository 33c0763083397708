import fastify, { type FastifyInstance } from 'fastify'
import { afterAll } from 'vitest'
import type { RecentRecords } from '../../../src/audit/recent-records.ts'
import { compileGrants } from '../../../src/authorization/compiled-grants.ts'
import { readAssets } from '../../../src/console/assets.ts'
import { addConsole } from '../../../src/console/console.ts'
import type { ConsoleParts } from '../../../src/console/parts.ts'
import type { Readings } from '../../../src/telemetry/readings.ts'
import { type VirtualClock, virtualClock } from '../clock/virtual-clock.ts'
import { createLogRecorder, type LogRecorder } from '../service/log-recorder.ts'

/** What the build makes for pages: `npm test` builds it first. */
const ASSETS = new URL('../../../dist/console/', import.meta.url)

/** Readings of an instance that has nothing to show. */
export const NO_READINGS: Readings = {
  rates: () => [],
  liveTokens: () => [],
  roleSessions: () => [],
  issuerKeys: () => [],
  configuration: () => ({ loadedAt: 0, lastReload: undefined }),
  expiries: () => [],
}

/** The records of an instance that has written none. */
export const NO_RECORDS: RecentRecords = {
  origin: { kind: 'memory', name: 'stdout' },
  read: async () => ({
    records: [],
    readAt: 0,
    from: undefined,
    to: undefined,
    next: undefined,
    unreadable: 0,
  }),
}

export type TestConsoleParts = Partial<Omit<ConsoleParts, 'assets' | 'clock'>> &
  Pick<ConsoleParts, 'currentConfig'>

export interface TestConsole {
  /** Where pages begin: `http://127.0.0.1:PORT/console`. */
  readonly url: string
  readonly clock: VirtualClock
  /** For requests that a browser does not send. */
  readonly app: FastifyInstance
  readonly log: LogRecorder
}

/** Starts a console over parts that a test makes, on loopback, until the tests of the file are done. */
export async function startConsole(parts: TestConsoleParts): Promise<TestConsole> {
  const app = fastify()
  const clock = virtualClock()
  const log = createLogRecorder()
  const assets = await readAssets(ASSETS)
  addConsole(app, {
    readings: NO_READINGS,
    recentRecords: NO_RECORDS,
    currentGrants: () => compileGrants(parts.currentConfig().grants),
    replacedConfig: () => undefined,
    refreshFleetSlots: async () => {},
    log,
    isOnLoopback: true,
    ...parts,
    clock,
    assets,
  })
  afterAll(() => app.close())
  return { url: `${await app.listen({ host: '127.0.0.1', port: 0 })}/console`, clock, app, log }
}
