import manifest from '../package.json' with { type: 'json' }
import { lambdaFacts } from '../src/config/environment.ts'
import { openConfigSource } from '../src/config/source/open-source.ts'
import { parseBasePath } from '../src/lambda/base-path.ts'
import { REQUEST_ID_HEADER } from '../src/lambda/event-headers.ts'
import { createExecutionEnvironment } from '../src/lambda/execution-environment.ts'
import { createHandler } from '../src/lambda/handler.ts'
import { systemClock } from '../src/lib/clock.ts'
import { createEgressFetch } from '../src/lib/egress-fetch.ts'
import { readEgressProxies } from '../src/lib/egress-proxies.ts'
import { escapeJson } from '../src/lib/printable.ts'
import { createService } from '../src/service.ts'
import { createJsonLog } from '../src/telemetry/json-log.ts'
import { createTraceContext } from '../src/telemetry/trace-context.ts'
import { traceLog } from '../src/telemetry/traced-log.ts'

/** Less than a server waits: API Gateway ends a request after 30 s, and Lambda bills the time. */
const SLOT_WAIT_MS = 1000

const traceContext = createTraceContext()
const log = traceLog(createJsonLog(process.stderr, escapeJson), traceContext)
const { configPath, instance } = lambdaFacts(process.env, import.meta.dirname)
const { basePath, problem } = parseBasePath(process.env.JETON_BASE_PATH)
const { findProxy, problems } = readEgressProxies(process.env)
const fetch = createEgressFetch({ fetch: globalThis.fetch, findProxy })
const executionEnvironment = createExecutionEnvironment({
  openSource: () => openConfigSource(configPath),
  environmentProblems: [
    ...(problem === undefined ? [] : [{ path: 'JETON_BASE_PATH', message: problem }]),
    ...problems,
  ],
  clock: systemClock(),
  log,
  instance,
  version: manifest.version,
  configPath,
  createService: config =>
    createService(config, {
      log,
      stdout: process.stdout,
      instance,
      slotWaitMs: SLOT_WAIT_MS,
      fetch,
      traceContext,
      http: { requestIdHeader: REQUEST_ID_HEADER },
    }),
})
// before the first request, because Lambda provides more CPU until then; a failure is logged, and the request tries again
const isStarted = executionEnvironment.getService().catch(() => {})

/** Answers events of API Gateway's HTTP and REST APIs, function URLs, Application Load Balancers and VPC Lattice. */
export const handler = isStarted.then(() => createHandler({ executionEnvironment, basePath, log }))
