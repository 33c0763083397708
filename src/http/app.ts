import { randomUUID } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify from 'fastify'
import type { ServerConfig } from '../config/config.ts'
import { asJetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { CaBundles } from '../rds/ca-bundles.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import type { AccessPolicy } from '../vending/access-policy.ts'
import type { BeginAudit } from '../vending/request-audit.ts'
import type { VendToken } from '../vending/vend-token.ts'
import { createAuthenticate } from './authenticate.ts'
import { bodyCutOff, errorFromFastify, hostMissing, nothingThere } from './fastify-errors.ts'
import { commonHeaders } from './headers.ts'
import { acceptJsonAlone } from './json-body.ts'
import { type ListenerOptions, listener } from './listener.ts'
import { describeRoutes, openApiRoute } from './openapi.ts'
import { parserErrors } from './parser-error.ts'
import { limitPipelining } from './pipelining.ts'
import { sendProblem } from './problem.ts'
import { caRoute } from './routes/ca.ts'
import { databasesRoute } from './routes/databases.ts'
import { healthRoutes } from './routes/health.ts'
import { tokensRoute } from './routes/tokens.ts'
import { schemaController } from './schema-controller.ts'
import { stackOnly } from './stack-only.ts'
import type { App } from './types.ts'

export interface AppParts {
  policy: () => AccessPolicy
  vend: VendToken
  caBundles: CaBundles
  health: Health
  clock: Clock
  log: Log
  beginAudit: BeginAudit
  /** Told of each token vended. */
  onAnswered?: (answer: { seconds: number }) => void
}

const BODY_LIMIT_BYTES = 16 * 1024

/** Where it listens: `tls` and `behindProxy` are the server's; without them it speaks plain HTTP to callers themselves. */
export interface AppOptions extends ListenerOptions, Pick<ServerConfig, 'behindProxy'> {
  /** The header that has the request's id. Only for where callers cannot set it themselves; without one, ids are made here. */
  requestIdHeader?: string | undefined
}

/** The whole HTTP API, not listening yet. */
export async function createApp(parts: AppParts, options: AppOptions = {}): Promise<App> {
  const { log, health, caBundles, clock } = parts
  const { behindProxy = 0 } = options
  const isSecure = options.tls !== undefined
  const app = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    requestIdHeader: options.requestIdHeader ?? false,
    bodyLimit: BODY_LIMIT_BYTES,
    serverFactory: listener(options),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    trustProxy: behindProxy > 0 && ((_address: string, hop: number) => hop < behindProxy),
    schemaController,
    clientErrorHandler: parserErrors(clock),
    frameworkErrors: (cause, _request, reply) =>
      void sendProblem(commonHeaders(reply, { isSecure }), errorFromFastify(cause) ?? asJetonError(cause)),
  }).withTypeProvider<TypeBoxTypeProvider>()

  limitPipelining(app)
  acceptJsonAlone(app)
  app.decorateRequest('audit', undefined)
  app.decorateRequest('caller', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    commonHeaders(reply, { isSecure })
    // here already, for what is nowhere has no body to be parsed
    done(request.is404 ? nothingThere() : hostMissing(request.raw))
  })
  app.setErrorHandler((cause, request, reply) => {
    const isCutOff = cause instanceof Error && cause === request.raw.errored
    const error = isCutOff ? bodyCutOff() : (errorFromFastify(cause) ?? asJetonError(cause))
    if (error.code === 'internal_error')
      log.error({ event: 'request_failed', requestId: request.id, ...stackOnly(cause) }, 'a request failed')
    sendProblem(reply, request.audit?.recordFailure(error) ?? error)
  })

  const described = describeRoutes(app)
  const guard = createAuthenticate(parts)
  tokensRoute(app, { ...parts, guard })
  databasesRoute(app, { caBundles, guard })
  caRoute(app, { caBundles })
  healthRoutes(app, { health })
  openApiRoute(app, described)
  await app.ready()
  return app
}
