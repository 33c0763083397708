import { useOwnTempFolder } from '../support/own-temp-folder.ts'
import { readArguments } from './arguments.ts'
import { auditPuts } from './audit-puts.ts'
import { cachedVend } from './cached-vend.ts'
import { coldStart } from './cold-start.ts'
import { jwtMemory } from './jwt-memory.ts'
import { lambdaColdStart } from './lambda-cold-start.ts'
import type { Plan } from './pairs.ts'
import { proxy } from './proxy.ts'
import { slowReaders } from './slow-readers.ts'
import { tokenStart } from './token-start.ts'

/** `npm run bench [-- NAME …]`: every figure is a ratio or a count, so that the machine does not matter. */
const BENCHMARKS: Readonly<Record<string, (plan: Plan) => Promise<void>>> = {
  'cached-vend-64': cachedVend({ sink: 'file', connections: 64, maxRatio: 1.6 }),
  'cached-vend-stdout': cachedVend({ sink: 'stdout', connections: 64, maxRatio: 1.35 }),
  'cached-vend-8': cachedVend({ sink: 'file', connections: 8, maxRatio: 3.2 }),
  'cached-vend-256': cachedVend({ sink: 'file', connections: 256, maxRatio: 1.7 }),
  'lambda-cold-start': lambdaColdStart,
  'token-start': tokenStart,
  'jwt-memory': jwtMemory,
  'cold-start': coldStart,
  'audit-puts': auditPuts,
  proxy,
  'slow-readers': slowReaders,
}

const { plan, names } = readOrExit()
const removeTempFolder = await useOwnTempFolder()
for (const name of names) await BENCHMARKS[name]?.(plan)
await removeTempFolder()

function readOrExit() {
  try {
    return readArguments(process.argv.slice(2), Object.keys(BENCHMARKS))
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : cause}\n`)
    process.exit(2)
  }
}
