import { lambdaFacts } from '../src/config/environment.ts'
import { openConfigSource } from '../src/config/source/open-source.ts'
import { REQUEST_ID_HEADER } from '../src/lambda/event.ts'
import { createExecutionEnvironment } from '../src/lambda/execution-environment.ts'
import { createHandler } from '../src/lambda/handler.ts'
import { systemClock } from '../src/lib/clock.ts'
import { createService } from '../src/service.ts'
import { createJsonLog } from '../src/telemetry/json-log.ts'

/** API Gateway gives a function 30 s, and billing runs. */
const TURN_WAIT_MS = 1000

const log = createJsonLog(process.stderr)
const { configPath, instance } = lambdaFacts(process.env, import.meta.dirname)
const sandbox = createExecutionEnvironment({
  source: openConfigSource(configPath),
  clock: systemClock(),
  log,
  compose: config =>
    createService(config, {
      log,
      stdout: process.stdout,
      instance,
      slotWaitMs: TURN_WAIT_MS,
      http: { requestIdHeader: REQUEST_ID_HEADER },
    }),
})
// Lambda gives more of a processor until the first request comes; what fails is told in the log, and tried again then
await sandbox.service().catch(() => {})

/** For API Gateway's HTTP API (payload 2.0), function URLs and Application Load Balancers. */
export const handler = createHandler({ sandbox, log })
