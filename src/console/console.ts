import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asJetonError, JetonError } from '../errors.ts'
import { traceIdOf } from '../lib/traceparent.ts'
import { logRequestFailure } from '../telemetry/log.ts'
import { errorContent, errorTitle } from './error-page.ts'
import { CONSOLE_HEADERS } from './headers.ts'
import { CONSOLE_PATH, layout } from './layout.ts'
import { refuseForeignHost, refuseForeignSite } from './own-requests.ts'
import type { ConsolePage } from './page.ts'
import { configurationPage } from './pages/configuration.ts'
import { databasesPage } from './pages/databases.ts'
import { decodePage } from './pages/decode.ts'
import { explainPage } from './pages/explain.ts'
import { recordPage } from './pages/record.ts'
import { recordsPage } from './pages/records.ts'
import { refusalsPage } from './pages/refusals.ts'
import type { ConsoleParts } from './parts.ts'

const HTML = 'text/html; charset=utf-8'
const MAX_FORM_BYTES = 65_536

/**
 * Adds the operator's pages to an app, below `/console`. They change nothing. A request for one
 * of them must be for this host and come from no other site, and then `admit` decides who sees it.
 */
export function addConsole(app: FastifyInstance, parts: ConsoleParts): void {
  const pages: readonly ConsolePage[] = [
    databasesPage(parts),
    recordsPage(parts),
    recordPage(parts),
    refusalsPage(parts),
    explainPage(parts),
    decodePage(),
    configurationPage(parts),
  ]
  const [first] = pages
  const toFirst = async (_request: FastifyRequest, reply: FastifyReply) =>
    reply.redirect(`${CONSOLE_PATH}${first?.path}`)
  app.register(async scope => {
    guard(scope, { pages, ...parts })
    scope.get('/', toFirst)
  })
  app.register(
    async scope => {
      guard(scope, { pages, ...parts })
      scope.addContentTypeParser(
        'application/x-www-form-urlencoded',
        { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
        (_request, body, done) => done(null, new URLSearchParams(String(body))),
      )
      scope.get('/', toFirst)
      for (const page of pages) addPage(scope, { page, pages, ...parts })
      for (const [name, { type, bytes }] of parts.assets)
        scope.get(`/assets/${name}`, async (_request, reply) => reply.type(type).send(bytes))
      scope.setNotFoundHandler(() => {
        throw noPage()
      })
    },
    { prefix: CONSOLE_PATH },
  )
}

type ScopeParts = ConsoleParts & { pages: readonly ConsolePage[] }

function guard(scope: FastifyInstance, { isOnLoopback, admit, ...parts }: ScopeParts): void {
  scope.addHook('onRequest', async (request, reply) => {
    reply.headers(CONSOLE_HEADERS)
    const { method, headers, raw } = request
    const refusal = (isOnLoopback && refuseForeignHost(raw)) || refuseForeignSite(method, headers)
    if (refusal) throw refusal
    await admit?.(request, reply)
  })
  answerErrors(scope, parts)
}

type PageParts = Pick<ScopeParts, 'clock' | 'pages'>

function addPage(scope: FastifyInstance, { page, pages, clock }: PageParts & { page: ConsolePage }): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    const content = await page.render(request)
    return reply.type(HTML).send(String(layout({ pages, page, content, now: clock.now() })))
  }
  scope.get(page.path, answer)
  if (page.takesForm) scope.post(page.path, answer)
}

/** Answers whatever a request fails with as a page, with the codes and statuses of the API. */
function answerErrors(
  scope: FastifyInstance,
  { pages, clock, log }: PageParts & Pick<ConsoleParts, 'log'>,
): void {
  scope.setErrorHandler((cause, request, reply) => {
    const found = jetonErrorOf(cause)
    // the app may have refused it before, in words for programs
    const error = request.is404 && found.code === 'not_found' ? noPage() : found
    if (error.code === 'internal_error') {
      const traceId = traceIdOf(request.headers.traceparent)
      logRequestFailure(log, { requestId: request.id, traceId, cause })
    }
    const page = { title: errorTitle(error) }
    const content = errorContent(error, request.id)
    if (error.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1000))
    return reply
      .code(error.status)
      .headers(CONSOLE_HEADERS)
      .type(HTML)
      .send(String(layout({ pages, page, content, now: clock.now() })))
  })
}

function noPage(): JetonError {
  return new JetonError('not_found', { publicMessage: 'the console has no page at this address' })
}

/** Fastify's own errors are about the request: a body that is too large, or of another type than a form's. */
function jetonErrorOf(cause: unknown): JetonError {
  const { statusCode } = cause as { statusCode?: unknown }
  if (cause instanceof JetonError || typeof statusCode !== 'number' || statusCode >= 500)
    return asJetonError(cause)
  if (statusCode === 413)
    return new JetonError('payload_too_large', { publicMessage: 'this is more than the page takes', cause })
  return new JetonError('invalid_request', { publicMessage: 'the page takes no such request', cause })
}
