import { randomUUID } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyReply } from 'fastify'
import type { ServerConfig } from '../config/config.ts'
import { type Clock, monotonicClock } from '../lib/clock.ts'
import type { CaBundles } from '../rds/ca-bundles.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import { type ConnectionMetrics, NO_METRICS } from '../telemetry/metrics.ts'
import type { TraceContext } from '../telemetry/trace-context.ts'
import type { Traces } from '../telemetry/traces.ts'
import type { AccessPolicy } from '../vending/access-policy.ts'
import type { RepeatVend } from '../vending/repeat-vend.ts'
import type { BeginAudit } from '../vending/request-audit.ts'
import type { VendToken } from '../vending/vend-token.ts'
import { answerErrors } from './answer-errors.ts'
import { createAuthenticationHook } from './authenticate.ts'
import { requestError } from './fastify-errors.ts'
import { acceptOnlyJson, MAX_BODY_BYTES } from './json-body.ts'
import { createKnownBodies } from './known-bodies.ts'
import { createListener, type ListenerOptions, type ListenerParts } from './listener.ts'
import { addOpenApiRoute, describeRoutes } from './openapi.ts'
import { sendProblem } from './problem.ts'
import { refuseMalformed, rejectMalformed, rejectUnroutable } from './request-head.ts'
import { createInTrace, traceRequests } from './request-trace.ts'
import { addCaRoute } from './routes/ca.ts'
import { addDatabasesRoute } from './routes/databases.ts'
import { addHealthRoutes } from './routes/health.ts'
import { addTokensRoute } from './routes/tokens.ts'
import { addWhoamiRoute } from './routes/whoami.ts'
import { schemaController } from './schema-controller.ts'
import { createSourceAddress } from './source-address.ts'
import type { App } from './types.ts'

export interface AppParts {
  /** Whoever decides about a request asks again after each wait: it is decided by the policy of that moment. */
  currentPolicy: () => AccessPolicy
  vend: VendToken
  /** Vends what needs no wait, in place of `vend`. Default: `vend` does all. */
  repeatVend?: RepeatVend
  caBundles: CaBundles
  health: Health
  clock: Clock
  log: Log
  beginAudit: BeginAudit
  /** Called for each token vended, with the time from the request's headers to here, by `timer`. */
  onVended?: (vend: { durationMs: number }) => void
  /** Default: the time that passes. */
  timer?: Pick<Clock, 'now'>
  /** Default: none. */
  metrics?: ConnectionMetrics
  /** Default: no spans. */
  traces?: Traces | undefined
  /** What follows requests for the log. Default: nothing does. */
  traceContext?: TraceContext | undefined
  /** Whether `/readyz` says that this server is for development. */
  isDev?: boolean
}

export interface AppOptions extends ListenerOptions, Pick<ServerConfig, 'behindProxy'> {
  /** The header with the request's id. Set it only if callers cannot send it; default: random UUIDs. */
  requestIdHeader?: string | undefined
}

/** Headers of every reply, which keep browsers from sniffing, framing or running it. https://owasp.org/www-project-secure-headers/ */
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}
/** RFC 6797; sent only if jeton itself speaks TLS. */
const HSTS = 'max-age=31536000'

/** Creates the HTTP API, ready to listen. Default: plain HTTP without a proxy in front. */
export async function createApp(parts: AppParts, options: AppOptions = {}): Promise<App> {
  const {
    clock,
    log,
    health,
    caBundles,
    vend,
    repeatVend,
    onVended,
    timer = monotonicClock(),
    metrics = NO_METRICS,
    traces,
    traceContext,
    isDev = false,
  } = parts
  const isTls = options.tls !== undefined
  const app = createFastify(options, { clock, log, metrics })
  const sourceAddressOf = createSourceAddress(options.behindProxy)

  // each request goes through this list from top to bottom, then to its route; only some routes authenticate
  addCommonHeaders(app, { isTls })
  traceRequests(app, traces)
  rejectMalformed(app)
  rejectUnroutable(app)
  const inTrace = createInTrace(traceContext)
  const authenticate = createAuthenticationHook(app, { ...parts, timer, sourceAddressOf, inTrace })
  const knownBodies = createKnownBodies()
  acceptOnlyJson(app, knownBodies)
  answerErrors(app, log)

  const describe = describeRoutes(app)
  addTokensRoute(app, {
    ...{ authenticate, knownBodies, vend, repeatVend, caBundles, clock, timer, inTrace, onVended },
  })
  addDatabasesRoute(app, { authenticate, caBundles })
  addWhoamiRoute(app, { authenticate })
  addCaRoute(app, { caBundles, isTls })
  addHealthRoutes(app, { health, isDev })
  addOpenApiRoute(app, describe)
  await app.ready()
  return app
}

function createFastify(options: AppOptions, parts: ListenerParts): App {
  const isTls = options.tls !== undefined
  return fastify({
    logger: false,
    genReqId: () => randomUUID(),
    requestIdHeader: options.requestIdHeader ?? false,
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    schemaController,
    ...createListener(options, parts),
    // such requests do not reach any hook
    frameworkErrors(cause, _request, reply) {
      setCommonHeaders(reply, { isTls })
      sendProblem(reply, refuseMalformed(reply) ?? requestError(cause))
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
}

function addCommonHeaders(app: App, options: { isTls: boolean }): void {
  app.addHook('onRequest', (_request, reply, done) => {
    setCommonHeaders(reply, options)
    done()
  })
}

function setCommonHeaders(reply: FastifyReply, { isTls }: { isTls: boolean }): void {
  if (isTls) reply.header('strict-transport-security', HSTS)
  reply.headers(SECURITY_HEADERS).header('x-request-id', reply.request.id)
}
