import { useOwnTempFolder } from '../support/own-temp-folder.ts'
import { readArguments } from './arguments.ts'
import { auditPuts } from './audit-puts.ts'
import { auditQuery } from './audit-query.ts'
import { caBundle } from './ca-bundle.ts'
import { cachedVend } from './cached-vend.ts'
import { ciJobs } from './ci-jobs/ci-jobs.ts'
import { coldStart } from './cold-start.ts'
import { consoleLive } from './console-live.ts'
import { consoleOpen } from './console-open.ts'
import { pinnedScript } from './in-process.ts'
import { jwtMemory } from './jwt-memory.ts'
import { lambdaColdStart } from './lambda-cold-start.ts'
import { largeConfigLoad } from './large-config-load.ts'
import type { Plan } from './pairs.ts'
import { proxy } from './proxy.ts'
import {
  DENIED_403,
  EXPIRED_401,
  FORGED_401,
  INVALID_400,
  RATE_LIMITED_429,
  refusal,
  UNKNOWN_KEY_401,
  UNKNOWN_PATH_404,
} from './refusals.ts'
import { reportCheck } from './report.ts'
import { slowReaders } from './slow-readers.ts'
import { tokenStart } from './token-start.ts'
import { tracedVend } from './traced-vend.ts'

/** `npm run bench [-- NAME …]`: every figure is a ratio or a count, so that the machine does not matter. */
const BENCHMARKS: Readonly<Record<string, (plan: Plan) => Promise<void>>> = {
  'cached-vend-64': cachedVend({ sink: 'file', connections: 64, maxRatio: 1.6 }),
  'cached-vend-stdout': cachedVend({ sink: 'stdout', connections: 64, maxRatio: 1.35 }),
  'cached-vend-8': cachedVend({ sink: 'file', connections: 8, maxRatio: 3.2 }),
  'cached-vend-256': cachedVend({ sink: 'file', connections: 256, maxRatio: 1.7 }),
  'console-open': consoleOpen,
  'console-live': consoleLive,
  'traced-vend-sampled': tracedVend({ isSampled: true }),
  'traced-vend-unsampled': tracedVend({ isSampled: false }),
  'refusal-400': refusal(INVALID_400),
  'refusal-401-key': refusal(UNKNOWN_KEY_401),
  'refusal-401-expired': refusal(EXPIRED_401),
  'refusal-401-forged': refusal(FORGED_401),
  'refusal-403': refusal(DENIED_403),
  'refusal-404': refusal(UNKNOWN_PATH_404),
  'refusal-429': refusal(RATE_LIMITED_429),
  'new-jwt-es256': pinnedScript('new-jwt', ['ES256']),
  'new-jwt-rs256': pinnedScript('new-jwt', ['RS256']),
  'first-decision': pinnedScript('first-decision'),
  'large-config': largeConfigLoad,
  'ca-bundle-global': caBundle('global'),
  'ca-bundle-region': caBundle('us-east-1'),
  'lambda-cold-start': lambdaColdStart,
  'token-start': tokenStart,
  'jwt-memory': jwtMemory,
  'cold-start': coldStart,
  'audit-puts': auditPuts,
  'audit-query': auditQuery,
  proxy,
  rivals: ({ pairs }) => ciJobs({ rounds: pairs }),
  'slow-readers': slowReaders,
}

const { plan, names } = readOrExit()
const removeTempFolder = await useOwnTempFolder()
for (const name of names) {
  try {
    await BENCHMARKS[name]?.(plan)
  } catch (cause) {
    // those after it may still have half an hour's figures
    reportCheck(name, { isKept: false, figure: String(cause) })
  }
}
await removeTempFolder()

function readOrExit() {
  try {
    return readArguments(process.argv.slice(2), Object.keys(BENCHMARKS))
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : cause}\n`)
    process.exit(2)
  }
}
