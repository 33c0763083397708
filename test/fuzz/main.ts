import { parseArgs } from 'node:util'
import { reportCheck, say } from '../bench/report.ts'
import { useOwnTempFolder } from '../support/own-temp-folder.ts'
import { MAX_MIB } from './limits.ts'
import { runFuzz } from './run-fuzz.ts'

/** `npm run fuzz [-- --count N] [--seed TEXT] [--from N]`: ends with 1 if a reply was wrong. */
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now()) },
    from: { type: 'string', default: '0' },
  },
})
const { seed } = values
const removeTempFolder = await useOwnTempFolder()
say(`${values.count} requests, --seed ${seed}`)
const { faults, statuses, startMib, endMib } = await runFuzz({
  seed,
  from: Number(values.from),
  count: Number(values.count),
})
say(
  [...statuses]
    .sort()
    .map(([status, count]) => `${status}: ${count}`)
    .join(', '),
)
for (const [fault, { first, times }] of faults)
  say(`${times} × ${fault}\n    npm run fuzz -- --seed ${seed} --from ${first} --count 1`)
reportCheck('faults', { figure: String(faults.size), isKept: faults.size === 0 })
reportCheck('memory', {
  figure: `${startMib.toFixed(0)} MiB at the start, ${endMib.toFixed(0)} MiB at the end`,
  isKept: endMib < MAX_MIB,
})
await removeTempFolder()
