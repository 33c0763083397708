import { say } from '../bench/report.ts'
import { CONTENDERS, type ContenderName } from './contenders.ts'
import { playAll } from './crew.ts'
import { hoard } from './hoarded.ts'
import { type Job, type LoadName, loadOf } from './jobs.ts'
import { LOADS } from './loads.ts'
import { createVerdicts, DEFAULT_PACE, toldMost } from './numbers.ts'
import { writePicture, writeTables } from './page.ts'
import { saturate, storeCallsOfCachedVends } from './saturation.ts'
import { hoardTable, loadTable, type Result, toldDelay } from './tables.ts'

/** `npm run bench:fleet [-- --write]`: prints the figures; `--write` also puts them into docs/fleet.md and docs/fleet.svg. */
const SEED = 'jeton'
const DELAYS_MS = [0, 100, 250]
const LONGEST_DELAY_MS = 250
/** The delay hardly matters to them, and what is throttled only piles up: an excerpt says it. */
const RIVAL_DELAYS_MS = [0, 250]
const RIVAL_HOURS = 0.5
const RENEWED = { principals: 8000, hours: 3 }
/** With shorter delays, and to look for more principals: one hour has five renewals of each token. */
const SHORT_HOURS = 1
const MORE_PRINCIPALS = [8600, 9200, 9600]

const names = Object.keys(CONTENDERS) as ContenderName[]
const loads = Object.keys(LOADS) as LoadName[]
const isJeton = (name: ContenderName) => name === 'c' || name === 'd'

/** The longest first, so that no process is left with one of them in the end. */
const renewals: Job[] = [...DELAYS_MS].reverse().map(delayMs => {
  const hours = delayMs === LONGEST_DELAY_MS ? RENEWED.hours : SHORT_HOURS
  return { load: { ...RENEWED, hours }, contender: 'd', delayMs }
})
const searched: Job[] = MORE_PRINCIPALS.map(principals => ({
  load: { principals, hours: SHORT_HOURS },
  contender: 'd',
  delayMs: LONGEST_DELAY_MS,
}))
const others: Job[] = names
  .filter(name => name !== 'd')
  .map(contender => ({
    load: isJeton(contender) ? RENEWED : { ...RENEWED, hours: RIVAL_HOURS },
    contender,
    delayMs: LONGEST_DELAY_MS,
  }))
const common: Job[] = loads.flatMap(load =>
  names.flatMap(contender =>
    (isJeton(contender) ? DELAYS_MS : RIVAL_DELAYS_MS).map((delayMs): Job => ({ load, contender, delayMs })),
  ),
)

const jobs = [...renewals, ...searched, ...others, ...common]
const played = await playAll(
  jobs.map(job => ({ job, seed: SEED })),
  ({ job }) => {
    const load = typeof job.load === 'string' ? job.load : `renewal of ${job.load.principals}`
    process.stderr.write(`played ${load}, (${job.contender}), delay ${toldDelay(job.delayMs)} ms\n`)
  },
)
const results: Result[] = played.map((one, i) => ({ job: jobs[i] as Job, played: one }))
const of = (wanted: readonly Job[]) => results.filter(({ job }) => wanted.includes(job))

const verdicts = createVerdicts()
verdicts.plays(of([...renewals, ...others, ...common]))
for (const instances of [1, 3, 10])
  verdicts.saturation(
    instances,
    await saturate({ instances, perSecond: DEFAULT_PACE, durationMs: 120_000, seed: SEED }),
  )
verdicts.renewal(of(renewals))
const cachedVends = 10_000
verdicts.cachedVends(3 * cachedVends, await storeCallsOfCachedVends(cachedVends, SEED))

const hoards = []
for (const principals of [20, 40, 100, 1000])
  hoards.push({ told: '(d)', hoarded: await hoard(principals, { session: 'per-principal', seed: SEED }) })
hoards.push({ told: '(c)', hoarded: await hoard(1000, { session: 'shared', seed: SEED }) })

const sections = loads.map(load => {
  const mine = of(common.filter(job => job.load === load))
  return `### ${load}\n\n${LOADS[load].told}.\n\n${loadTable(mine)}`
})
const tables = [
  `### Promises\n\n${verdicts.table()}\n\n${toldMost(of([...renewals.slice(0, 1), ...searched]))}`,
  ...sections,
  `### renewal\n\n${loadOf(renewals[0] as Job).told}; for (a) and (b) the first ${RIVAL_HOURS * 60} min, for (d) with shorter delays the first ${SHORT_HOURS * 60} min.\n\n${loadTable([...of(others), ...of(renewals)])}`,
  `### What cannot be paced\n\nTokens handed out minutes before and first used within the 2 s after a failover.\n\n${hoardTable(hoards)}`,
].join('\n\n')
say()
say(tables)
if (process.argv.includes('--write')) {
  await writeTables(tables)
  await writePicture(results)
}
