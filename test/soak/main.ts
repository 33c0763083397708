import { reportCheck, say } from '../bench/report.ts'
import { useOwnTempFolder } from '../support/own-temp-folder.ts'
import { soakTable, writeFigures } from './operations-page.ts'
import { parseOptions } from './options.ts'
import { promisesOf, waitPromisesOf } from './promises.ts'
import { runSoak } from './run-soak.ts'

/** `npm run soak [-- --long | --seconds N] [--seed TEXT] [--write]`: ends with 1 if a promise was broken. */
const { seconds, seed, writes } = parseOptions(process.argv.slice(2))
const removeTempFolder = await useOwnTempFolder()
say(`two instances on one table for ${seconds} s, seed ${seed}`)
const result = await runSoak({ seconds, seed })
const promises = [...promisesOf(result), ...waitPromisesOf(result)]

say()
for (const [name, count] of [...result.disturbances].sort()) say(`${String(count).padStart(4)} × ${name}`)
say()
for (const [event, count] of [...result.warnings].sort()) say(`${String(count).padStart(4)} × ${event}`)
if (!result.hasClockSteps) say('the program faketime is missing: no clock was set')
say()
for (const [name, { outcomes, waitsMs }] of Object.entries(result.callers)) {
  const { details, wrong, ...counts } = outcomes
  say(`${name}: ${JSON.stringify({ ...counts, wrong: [...wrong] })}, waits ${waitsMs.length}`)
  for (const [detail, count] of details) say(`    ${count} × ${detail}`)
}
say(
  `tokens with less than 5 minutes left from a clock that had just been set: ${result.deliveries.shortAfterClockSet}`,
)
say()
for (const { what, ...check } of promises) reportCheck(what, check)
const table = soakTable(result, promises)
say()
say(table)
if (writes) await writeFigures(table)
await removeTempFolder()
