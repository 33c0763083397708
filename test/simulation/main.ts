import { say } from '../bench/report.ts'
import { AGGRESSIONS, type Aggression, type AggressorOptions, simulateAggressor } from './aggressor.ts'
import { createPromiseChecks, DEFAULT_LIMIT, describeCapacity } from './checks.ts'
import { writePicture, writeTables } from './fleet-page.ts'
import { formatDelay } from './format.ts'
import { simulateHoarding } from './hoarding.ts'
import { LOAD_PROFILES } from './load-profiles.ts'
import { countStoreCallsOfCachedVends, simulateSaturation } from './saturation.ts'
import { type LoadProfileName, profileOf, type Scenario, type ScenarioResult } from './scenarios.ts'
import { isJeton, STRATEGIES, type StrategyName } from './strategies.ts'
import { aggressorTable, hoardingTable, runsTable } from './tables.ts'
import { runInWorkers } from './worker-pool.ts'

/** `npm run bench:fleet [-- --write]`: prints the figures; `--write` also puts them into docs/fleet.md and docs/fleet.svg. */
const SEED = 'jeton'
const DELAYS_MS = [0, 100, 250]
const LONGEST_DELAY_MS = 250
/** For (a) and (b) the delay hardly matters, and throttled logins only pile up: an excerpt shows it. */
const SIGNING_DELAYS_MS = [0, 250]
const SIGNING_HOURS = 0.5
const RENEWAL = { principals: 8000, hours: 3 }
/** For shorter delays and more principals: one hour has five renewals of each token. */
const SHORT_HOURS = 1
const MORE_PRINCIPALS = [8600, 9200, 9600]
const CACHED_VENDS = 10_000
const AGGRESSOR_DESCRIPTION =
  'The callers of one grant ask again within 150 ms of every reply, whatever `Retry-After` says, for 60 s. After 25 s, 12 principals of another grant for the same database come, one every 1.5 s, and ask the three instances by turns; they come back when they are told to. The calls to `AssumeRole` are those of all, in 60 s with 960 slots.'

const strategies = Object.keys(STRATEGIES) as StrategyName[]
const profiles = Object.keys(LOAD_PROFILES) as LoadProfileName[]

/** The longest first, so that no worker is left alone with it in the end. */
const renewals: Scenario[] = [...DELAYS_MS].reverse().map(maxDelayMs => {
  const hours = maxDelayMs === LONGEST_DELAY_MS ? RENEWAL.hours : SHORT_HOURS
  return { load: { ...RENEWAL, hours }, strategy: 'd', maxDelayMs }
})
const largerRenewals: Scenario[] = MORE_PRINCIPALS.map(principals => ({
  load: { principals, hours: SHORT_HOURS },
  strategy: 'd',
  maxDelayMs: LONGEST_DELAY_MS,
}))
const otherRenewals: Scenario[] = strategies
  .filter(strategy => strategy !== 'd')
  .map(strategy => ({
    load: isJeton(strategy) ? RENEWAL : { ...RENEWAL, hours: SIGNING_HOURS },
    strategy,
    maxDelayMs: LONGEST_DELAY_MS,
  }))
const comparisons: Scenario[] = profiles.flatMap(load =>
  strategies.flatMap(strategy =>
    (isJeton(strategy) ? DELAYS_MS : SIGNING_DELAYS_MS).map(
      (maxDelayMs): Scenario => ({ load, strategy, maxDelayMs }),
    ),
  ),
)

const scenarios = [...renewals, ...largerRenewals, ...otherRenewals, ...comparisons]
const runs = await runInWorkers(
  scenarios.map(scenario => ({ scenario, seed: SEED })),
  ({ scenario: { load, strategy, maxDelayMs } }) => {
    const name = typeof load === 'string' ? load : `renewal of ${load.principals}`
    process.stderr.write(`done: ${name}, (${strategy}), delay ${formatDelay(maxDelayMs)} ms\n`)
  },
)
const results: ScenarioResult[] = runs.map((result, i) => ({ scenario: scenarios[i] as Scenario, result }))
const resultsOf = (wanted: readonly Scenario[]) => results.filter(({ scenario }) => wanted.includes(scenario))

const checks = createPromiseChecks()
checks.checkRuns(resultsOf([...renewals, ...otherRenewals, ...comparisons]))
for (const instances of [1, 3, 10]) {
  const options = { instances, newTokensPerSecond: DEFAULT_LIMIT, durationMs: 120_000, seed: SEED }
  checks.checkSaturation(instances, await simulateSaturation(options))
}
checks.checkRenewals(resultsOf(renewals))
const aggressions = Object.keys(AGGRESSIONS) as Aggression[]
const aggressors: { options: AggressorOptions; result: Awaited<ReturnType<typeof simulateAggressor>> }[] = []
for (const aggression of aggressions)
  for (const instances of [1, 3]) {
    const options = { aggression, instances, seed: SEED }
    const result = await simulateAggressor(options)
    checks.checkAggressor(options, result)
    aggressors.push({ options, result })
  }
checks.checkCachedVends(3 * CACHED_VENDS, await countStoreCallsOfCachedVends(CACHED_VENDS, SEED))

const hoardings: { strategy: StrategyName; hoarding: Awaited<ReturnType<typeof simulateHoarding>> }[] = []
for (const principals of [20, 40, 100, 1000]) {
  const hoarding = await simulateHoarding(principals, { session: 'per-principal', seed: SEED })
  hoardings.push({ strategy: 'd', hoarding })
}
hoardings.push({
  strategy: 'c',
  hoarding: await simulateHoarding(1000, { session: 'shared', seed: SEED }),
})

const sections = profiles.map(load => {
  const ofProfile = resultsOf(comparisons.filter(scenario => scenario.load === load))
  return `### ${load}\n\n${LOAD_PROFILES[load].description}.\n\n${runsTable(ofProfile)}`
})
const tables = [
  `### Promises\n\n${checks.table()}\n\n${describeCapacity(resultsOf([...renewals.slice(0, 1), ...largerRenewals]))}`,
  ...sections,
  `### renewal\n\n${profileOf(renewals[0] as Scenario).description}; for (a) and (b) the first ${SIGNING_HOURS * 60} min, for (d) with shorter delays the first ${SHORT_HOURS * 60} min.\n\n${runsTable([...resultsOf(otherRenewals), ...resultsOf(renewals)])}`,
  `### an aggressor beside newcomers\n\n${AGGRESSOR_DESCRIPTION}\n\n${aggressorTable(aggressors)}`,
  `### What no limit covers\n\nTokens delivered minutes before and first used within the 2 s after a failover.\n\n${hoardingTable(hoardings)}`,
].join('\n\n')
say()
say(tables)
if (process.argv.includes('--write')) {
  await writeTables(tables)
  await writePicture(results)
}
