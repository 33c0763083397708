import { useOwnTempFolder } from '../support/own-temp-folder.ts'
import { auditPuts } from './audit-puts.ts'
import { cachedVend } from './cached-vend.ts'
import { coldStart } from './cold-start.ts'
import { jwtMemory } from './jwt-memory.ts'
import { lambdaColdStart } from './lambda-cold-start.ts'
import { proxy } from './proxy.ts'
import { slowReaders } from './slow-readers.ts'
import { tokenStart } from './token-start.ts'

/** `npm run bench [-- NAME …]`: every figure is a ratio or a count, so that the machine does not matter. */
const BENCHMARKS: Readonly<Record<string, () => Promise<void>>> = {
  'audit-puts': auditPuts,
  'cached-vend': cachedVend,
  'cold-start': coldStart,
  'jwt-memory': jwtMemory,
  'lambda-cold-start': lambdaColdStart,
  proxy,
  'slow-readers': slowReaders,
  'token-start': tokenStart,
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => !(name in BENCHMARKS))
if (unknown.length > 0) {
  process.stderr.write(`unknown benchmark ${unknown.join(', ')}: use ${Object.keys(BENCHMARKS).join(', ')}\n`)
  process.exit(2)
}
const removeTempFolder = await useOwnTempFolder()
for (const [name, run] of Object.entries(BENCHMARKS))
  if (wanted.length === 0 || wanted.includes(name)) await run()
await removeTempFolder()
