import type { IncomingMessage } from 'node:http'
import type { FastifyReply } from 'fastify'
import { JetonError } from '../errors.ts'
import { notFoundError } from './fastify-errors.ts'
import { rememberPaths } from './known-paths.ts'
import { findRepeatedHeader } from './repeated-headers.ts'
import type { App } from './types.ts'

/** A host as a URI has it, perhaps with a port (RFC 9110, 7.2). No comma: some gateways join two headers with one. */
const HOST = /^(?:\[[\w.~:%-]+\]|[\w.~!$&'()*+;=%-]*)(?::\d*)?$/
/** What stands before the path of a request in absolute form, as for a proxy (RFC 9112, 3.2.2). */
const ORIGIN = /^https?:\/\/[^/?#]*/i

/** Rejects malformed requests before anything is made of them. */
export function rejectMalformed(app: App): void {
  app.addHook('onRequest', (_request, reply, done) => {
    done(refuseMalformed(reply))
  })
}

/**
 * Returns the error of a request that a proxy in front may have read in another way: with two of a header that must be one, with
 * a `Host` that is missing or none (RFC 9112, 3.2), or with a body that ends who knows where (6.1). Its reply then ends the
 * connection, since where the next request begins may be as doubtful (11.2). Undefined for all others.
 */
export function refuseMalformed(reply: FastifyReply): JetonError | undefined {
  const { raw } = reply.request
  const error = repeatedHeaderError(raw) ?? hostError(raw) ?? framingError(raw)
  if (error) reply.header('connection', 'close')
  return error
}

function repeatedHeaderError({ rawHeaders }: IncomingMessage): JetonError | undefined {
  const repeated = findRepeatedHeader(rawHeaders)
  return repeated === undefined ? undefined : invalidHead(`the request has more than one ${repeated} header`)
}

function hostError({ headers: { host }, httpVersion }: IncomingMessage): JetonError | undefined {
  if (host === undefined)
    return httpVersion === '1.1' ? invalidHead('the request has no Host header') : undefined
  return HOST.test(host) ? undefined : invalidHead('the Host header names no host')
}

/** The parser itself refuses most of it, such as a length beside chunks. */
function framingError({ headers, httpVersion }: IncomingMessage): JetonError | undefined {
  const encoding = headers['transfer-encoding']
  if (httpVersion !== '1.1' && (httpVersion !== '1.0' || encoding !== undefined))
    return invalidHead('this is neither HTTP/1.1 nor HTTP/1.0, which has no Transfer-Encoding')
  return encoding === undefined || encoding.toLowerCase() === 'chunked'
    ? undefined
    : invalidHead('the only Transfer-Encoding is chunked')
}

function invalidHead(publicMessage: string): JetonError {
  return new JetonError('invalid_request', { publicMessage })
}

/** Rejects requests without a route before their body is parsed, whatever the body is. Call it before routes are added. */
export function rejectUnroutable(app: App): void {
  const methodsOf = rememberPaths(app)
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done()
    const known = methodsOf(pathOf(request.raw))
    if (!known) return done(notFoundError())
    const methods = [...new Set(known)].sort().join(', ')
    reply.header('allow', methods)
    done(new JetonError('method_not_allowed', { publicMessage: `this path takes ${methods}` }))
  })
}

/** Returns the path of a request, without what stands before and after it. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.replace(ORIGIN, '').split(/[?#]/)[0] ?? ''
}
