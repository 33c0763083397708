import { systemClock } from '../src/clock.ts'
import { compose } from '../src/compose.ts'
import { lambdaFacts } from '../src/config/environment.ts'
import { sourceAt } from '../src/config/source/at.ts'
import { createAnswer } from '../src/lambda/answer.ts'
import { REQUEST_ID_HEADER } from '../src/lambda/event.ts'
import { createSandbox } from '../src/lambda/sandbox.ts'
import { createPlainLog } from '../src/plain-log.ts'

/** API Gateway gives a function 30 s, and billing runs. */
const TURN_WAIT_MS = 1000

const log = createPlainLog(process.stderr)
const { configPath, instance } = lambdaFacts(process.env, import.meta.dirname)
const sandbox = createSandbox({
  source: sourceAt(configPath),
  clock: systemClock(),
  log,
  compose: config =>
    compose(config, {
      log,
      stdout: process.stdout,
      instance,
      turnWaitMs: TURN_WAIT_MS,
      http: { requestIdHeader: REQUEST_ID_HEADER },
    }),
})
// Lambda gives more of a processor until the first request comes; what fails is told in the log, and tried again then
await sandbox.service().catch(() => {})

/** For API Gateway's HTTP API (payload 2.0), function URLs and Application Load Balancers. */
export const handler = createAnswer({ sandbox, log })
