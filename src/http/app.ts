import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import type { ServerConfig } from '../config/config.ts'
import { asJetonError, JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { CaBundles } from '../rds/ca-bundles.ts'
import type { Health } from '../telemetry/health.ts'
import { type Log, logRequestFailure } from '../telemetry/log.ts'
import type { AccessPolicy } from '../vending/access-policy.ts'
import type { BeginAudit } from '../vending/request-audit.ts'
import type { VendToken } from '../vending/vend-token.ts'
import { createAuthenticationHook } from './authenticate.ts'
import { errorFromFastify, incompleteBodyError, notFoundError } from './fastify-errors.ts'
import { acceptOnlyJson, MAX_BODY_BYTES } from './json-body.ts'
import { createServerFactory, type ListenerOptions } from './listener.ts'
import { addOpenApiRoute, describeRoutes } from './openapi.ts'
import { createParserErrorHandler } from './parser-error.ts'
import { limitPipelining } from './pipelining.ts'
import { sendProblem } from './problem.ts'
import { addCaRoute } from './routes/ca.ts'
import { addDatabasesRoute } from './routes/databases.ts'
import { addHealthRoutes } from './routes/health.ts'
import { addTokensRoute } from './routes/tokens.ts'
import { schemaController } from './schema-controller.ts'
import type { App } from './types.ts'

export interface AppParts {
  /** Called once for each request, so that a reload changes nothing in the middle of one. */
  currentPolicy: () => AccessPolicy
  vend: VendToken
  caBundles: CaBundles
  health: Health
  clock: Clock
  log: Log
  beginAudit: BeginAudit
  /** Called for each token vended, with the time from the request's headers to here. */
  onVended?: (vend: { durationMs: number }) => void
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
  const { clock, log, health, caBundles, vend, onVended } = parts
  const isTls = options.tls !== undefined
  const app = createFastify(options, { clock, isTls })

  // each request goes through this list from top to bottom, then to its route; only some routes authenticate
  limitPipelining(app)
  addCommonHeaders(app, { isTls })
  rejectUnroutable(app)
  const authenticate = createAuthenticationHook(app, parts)
  acceptOnlyJson(app)
  answerErrors(app, log)

  const describe = describeRoutes(app)
  addTokensRoute(app, { authenticate, vend, caBundles, clock, onVended })
  addDatabasesRoute(app, { authenticate, caBundles })
  addCaRoute(app, { caBundles })
  addHealthRoutes(app, { health })
  addOpenApiRoute(app, describe)
  await app.ready()
  return app
}

function createFastify(options: AppOptions, { clock, isTls }: { clock: Clock; isTls: boolean }): App {
  const { behindProxy = 0 } = options
  return fastify({
    logger: false,
    genReqId: () => randomUUID(),
    requestIdHeader: options.requestIdHeader ?? false,
    bodyLimit: MAX_BODY_BYTES,
    serverFactory: createServerFactory(options),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    trustProxy: behindProxy > 0 && ((_address: string, hop: number) => hop < behindProxy),
    schemaController,
    clientErrorHandler: createParserErrorHandler(clock),
    // such requests do not reach any hook
    frameworkErrors(cause, _request, reply) {
      setCommonHeaders(reply, { isTls })
      sendProblem(reply, errorFromFastify(cause) ?? asJetonError(cause))
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

/** Rejects requests without a route or without `Host` before their body is parsed, whatever the body is. */
function rejectUnroutable(app: App): void {
  app.addHook('onRequest', (request, _reply, done) => {
    done(request.is404 ? notFoundError() : missingHostError(request.raw))
  })
}

/** RFC 9112, 3.2 */
function missingHostError({ headers, httpVersion }: IncomingMessage): JetonError | undefined {
  if (headers.host !== undefined || httpVersion !== '1.1') return undefined
  return new JetonError('invalid_request', { publicMessage: 'the request has no Host header' })
}

/** Answers whatever a request fails with as a problem, records it if authentication had begun, and logs bugs. */
function answerErrors(app: App, log: Log): void {
  app.setErrorHandler((cause, request, reply) => {
    const error = jetonErrorOf(cause, request)
    if (error.code === 'internal_error') logRequestFailure(log, { requestId: request.id, cause })
    sendProblem(reply, request.audit?.recordFailure(error) ?? error)
  })
}

function jetonErrorOf(cause: unknown, { raw }: FastifyRequest): JetonError {
  const isBodyCutOff = cause instanceof Error && cause === raw.errored
  return isBodyCutOff ? incompleteBodyError() : (errorFromFastify(cause) ?? asJetonError(cause))
}
