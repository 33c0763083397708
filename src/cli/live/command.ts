import type { Config, StoreConfig } from '../../config/config.ts'
import { isAwsNeeded } from '../../config/needed-region.ts'
import type { Clock } from '../../lib/clock.ts'
import { countText } from '../../lib/count-text.ts'
import type { Fetch } from '../../lib/fetch-json.ts'
import { memoizeAsync } from '../../lib/single-flight.ts'
import { createHealth } from '../../telemetry/health.ts'
import type { Log } from '../../telemetry/log.ts'
import { createAssumeRole } from '../../tokens/role-session/assume-role.ts'
import type { TextOutput } from '../streams.ts'
import { sinkChecks } from './audit-log.ts'
import { endpointChecks, type LookUpHost } from './endpoints.ts'
import { issuerChecks } from './issuers.ts'
import { kmsKeyCheck } from './kms-key.ts'
import { type LiveCheck, ok } from './live-check.ts'
import { createLiveTable } from './live-table.ts'
import { type ObservedDates, observeServerDates } from './observed-dates.ts'
import { ownIdentityCheck, requireCredentials, withCredentials } from './own-identity.ts'
import { roleChecks } from './roles.ts'
import { type LiveRow, runLiveChecks } from './run-checks.ts'
import { storeTableChecks } from './tables.ts'

export interface LiveParts {
  stdout: TextOutput
  /** The machine's own, which nothing corrects. */
  clock: Clock
  fetch: Fetch
  lookUp: LookUpHost
  /** Whether a warning fails, too. */
  isStrict: boolean
}

/**
 * `jeton check --live`: tries what a server with this configuration calls, as it calls it, and prints a table, row by
 * row. Returns the exit code: 1 if anything failed. Every check ends in time, but what it has begun may keep the process alive.
 */
export async function liveCommand(config: Config, { stdout, isStrict, ...parts }: LiveParts): Promise<0 | 1> {
  const dates = observeServerDates(parts)
  const checks = checksOf(config, { ...parts, dates })
  const table = createLiveTable([...checks.map(({ what }) => what), CLOCK])
  stdout.write(`\n${table.header}`)
  const onRow = (row: LiveRow) => void stdout.write(table.line(row))
  const tried = await runLiveChecks(checks, { clock: parts.clock, onRow })
  const clock = { what: CLOCK, ...dates.compare() }
  onRow(clock)
  const rows = [...tried, clock]
  stdout.write(`\n${summaryOf(rows)}\n`)
  const isBad = ({ result }: LiveRow) => result === 'failed' || (isStrict && result === 'warning')
  return rows.some(isBad) ? 1 : 0
}

/** Last, because it needs the replies to all others. */
const CLOCK = 'clock'

interface Tools {
  dates: ObservedDates
  lookUp: LookUpHost
}

function checksOf(config: Config, { dates, lookUp }: Tools): LiveCheck[] {
  const { databases, issuers, store, audit } = config
  const { clock, fetch } = dates
  const assumeRole = createAssumeRole({ clock, health: createHealth(), log: NO_LOG })
  const sinks = audit.flatMap(sink =>
    sinkChecks(sink, clock).map(check => ({ check, isOfAws: sink.type === 'dynamodb' })),
  )
  const ofAws = needingCredentials(config, clock)
  return [
    ...ofAws.identity,
    ...ofAws.gate(roleChecks(config, assumeRole)),
    ...endpointChecks(databases, lookUp),
    ...issuerChecks(issuers, { clock, fetch }),
    ...(store.type === 'memory' ? storeChecks(store, clock) : ofAws.gate(storeChecks(store, clock))),
    ...sinks.flatMap(({ check, isOfAws }) => (isOfAws ? ofAws.gate([check]) : [check])),
  ]
}

/** Without credentials all calls to AWS fail alike, so only one check says why. */
function needingCredentials(config: Config, clock: Clock) {
  // without a database, STS only tells who calls
  const region = config.databases[0]?.region ?? 'us-east-1'
  const openAccess = memoizeAsync(async () => {
    const { openOwnAccess } = await import('../../aws/sts.ts')
    return openOwnAccess({ region, clock })
  })
  const hasCredentials = memoizeAsync(() =>
    openAccess()
      .then(requireCredentials)
      .then(
        () => true,
        () => false,
      ),
  )
  return {
    identity: isAwsNeeded(config) ? [ownIdentityCheck(openAccess)] : [],
    gate: (checks: LiveCheck[]) => checks.map(check => withCredentials(check, hasCredentials)),
  }
}

function storeChecks(store: StoreConfig, clock: Clock): LiveCheck[] {
  if (store.type === 'memory')
    return [{ what: 'store memory', run: async () => ok('nothing to reach; instances share nothing') }]
  const { encryption } = store
  const tables = storeTableChecks(store, clock)
  if (encryption.type === 'files') return tables
  return [...tables, kmsKeyCheck(store, encryption.kmsKeyId, { clock, log: NO_LOG })]
}

function summaryOf(rows: readonly LiveRow[]): string {
  const count = (wanted: LiveRow['result']) => rows.filter(({ result }) => result === wanted).length
  return `${count('ok')} ok, ${countText(count('warning'), 'warning')}, ${count('failed')} failed`
}

/** What a server would log is in the table. */
const NO_LOG: Log = { debug() {}, info() {}, warn() {}, error() {} }
