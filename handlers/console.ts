import { openRecentRecords } from '../src/audit/open-recent-records.ts'
import type { RecordMemory } from '../src/audit/record-memory.ts'
import type { AdminConfig, SinkConfig } from '../src/config/config.ts'
import { readAssets } from '../src/console/assets.ts'
import { addConsole } from '../src/console/console.ts'
import { createOperatorHook } from '../src/http/operators.ts'
import type { App } from '../src/http/types.ts'
import { isLoopback } from '../src/lib/loopback.ts'
import type { Service } from '../src/service.ts'
import type { Log } from '../src/telemetry/log.ts'

/** Where the build puts what pages load, as seen from this module's place in dist/chunks. */
const ASSETS = '../console/'

export interface OpenConsoleParts {
  service: Service
  /** How the app listens. */
  admin: AdminConfig
  /** Where records are written, and so read. */
  audit: readonly SinkConfig[]
  log: Log
  recordMemory: RecordMemory | undefined
}

/** Adds the console to the app of the admin listener. Rejects if the files are missing that its pages load. */
export async function openConsole(app: App, parts: OpenConsoleParts): Promise<void> {
  const { service, admin, audit, log, recordMemory } = parts
  const { clock, beginAudit, inUse } = service
  const currentPolicy = () => inUse().policy
  const isOnLoopback = isLoopback(admin.host)
  // even if a reload takes the last one away
  const isAlwaysAsked = !isOnLoopback || !currentPolicy().operators.isEmpty
  const { recent, close } = await openRecentRecords(audit, { clock, memory: recordMemory })
  app.addHook('onClose', async () => close())
  addConsole(app, {
    ...{ clock, log, isOnLoopback },
    currentConfig: () => inUse().config,
    currentGrants: () => inUse().policy.grants,
    replacedConfig: () => inUse().replaced,
    readings: service.readings,
    recentRecords: recent,
    refreshFleetSlots: service.refreshFleetSlots,
    assets: await readAssets(new URL(ASSETS, import.meta.url)),
    admit: createOperatorHook({ currentPolicy, beginAudit, clock, log, isAlwaysAsked }),
  })
}
