import { PICTURED, writePicture } from './fleet-page.ts'
import { runInWorkers } from './worker-pool.ts'

/** `npx tsx test/simulation/picture.ts`: draws docs/fleet.svg again, without the other runs of `npm run bench:fleet`. */
const runs = await runInWorkers(
  PICTURED.map(scenario => ({ scenario, seed: 'jeton' })),
  ({ scenario }) => process.stderr.write(`done: (${scenario.strategy})\n`),
)
await writePicture(
  PICTURED.flatMap((scenario, i) => runs.slice(i, i + 1).map(result => ({ scenario, result }))),
)
