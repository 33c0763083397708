import { randomUUID } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify from 'fastify'
import type { Clock } from '../clock.ts'
import type { ServerConfig } from '../config/config.ts'
import type { Rules } from '../config/rules.ts'
import type { CaBundles } from '../databases/ca.ts'
import { asJetonError } from '../errors.ts'
import type { Health } from '../health.ts'
import type { Log } from '../log.ts'
import type { BeginTrail } from '../trail.ts'
import type { Vend } from '../vend.ts'
import { schemaController } from './compilers.ts'
import { bodyCutOff, errorOfFramework, hostMissing, nothingThere } from './framework-error.ts'
import { createGuard } from './guard.ts'
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
import { stackOnly } from './stack-only.ts'
import type { App } from './types.ts'

export interface AppParts {
  rules: () => Rules
  vend: Vend
  caBundles: CaBundles
  health: Health
  clock: Clock
  log: Log
  beginTrail: BeginTrail
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
      void sendProblem(commonHeaders(reply, { isSecure }), errorOfFramework(cause) ?? asJetonError(cause)),
  }).withTypeProvider<TypeBoxTypeProvider>()

  limitPipelining(app)
  acceptJsonAlone(app)
  app.decorateRequest('trail', undefined)
  app.decorateRequest('caller', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    commonHeaders(reply, { isSecure })
    // here already, for what is nowhere has no body to be parsed
    done(request.is404 ? nothingThere() : hostMissing(request.raw))
  })
  app.setErrorHandler((cause, request, reply) => {
    const isCutOff = cause instanceof Error && cause === request.raw.errored
    const error = isCutOff ? bodyCutOff() : (errorOfFramework(cause) ?? asJetonError(cause))
    if (error.code === 'internal_error')
      log.error({ event: 'request_failed', requestId: request.id, ...stackOnly(cause) }, 'a request failed')
    sendProblem(reply, request.trail?.ended(error) ?? error)
  })

  const described = describeRoutes(app)
  const guard = createGuard(parts)
  tokensRoute(app, { ...parts, guard })
  databasesRoute(app, { caBundles, guard })
  caRoute(app, { caBundles })
  healthRoutes(app, { health })
  openApiRoute(app, described)
  await app.ready()
  return app
}
