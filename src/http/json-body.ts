import type { FastifyBodyParser, FastifyReply, FastifyRequest } from 'fastify'
import { JetonError } from '../errors.ts'
import { isJsonObject } from '../lib/json.ts'
import { askForBody } from './expectations.ts'
import type { KnownBodies } from './known-bodies.ts'
import type { App } from './types.ts'

export const MAX_BODY_BYTES = 16 * 1024

/**
 * Makes the app accept bodies of `application/json` alone, and none that names a member twice: JSON.parse keeps only the
 * last, and a proxy in front may have checked another (RFC 8259, 4). Fastify's own parser rejects `__proto__` and
 * `constructor`. Bodies with nested values are not checked for duplicates, since no schema here allows one. A text that is known
 * is not parsed again.
 */
export function acceptOnlyJson(app: App, knownBodies: KnownBodies): void {
  const parse: FastifyBodyParser<string> = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    const known = knownBodies.find(text)
    if (known) return done(null, known)
    void parse(request, text, (error, body: unknown) => {
      if (error) return done(error, body)
      if (hasDuplicateMember(text, body))
        return done(
          new JetonError('invalid_request', { publicMessage: 'the body names one of its members twice' }),
        )
      knownBodies.note(text, body)
      done(null, body)
    })
  })
}

/**
 * An `onRequest` hook for what follows authentication: refuses bodies that are compressed (RFC 7694, 3), which nobody would
 * unpack, and lets a client send its body that waits for word, unless that body is known to be too large.
 */
export function acceptBody(
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
): void {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? ''
  if (encoding === '' || encoding === 'identity') {
    // Fastify refuses a body that says it is too large
    if (Number(request.headers['content-length'] ?? 0) <= MAX_BODY_BYTES) askForBody(request.raw, reply.raw)
    done()
  } else {
    reply.header('accept-encoding', 'identity')
    done(
      new JetonError('unsupported_media_type', { publicMessage: 'send the body without Content-Encoding' }),
    )
  }
}

function hasDuplicateMember(json: string, body: unknown): boolean {
  if (!isJsonObject(body)) return false
  const values = Object.values(body)
  return values.every(value => typeof value !== 'object') && countMembers(json) > values.length
}

/** Counts strings before a colon. In valid JSON, quotes stand around strings and nowhere else. */
function countMembers(json: string): number {
  // most bodies have one member and so one colon, which is quicker to find
  const colon = json.indexOf(':')
  if (colon === json.lastIndexOf(':')) return colon === -1 ? 0 : 1
  const strings = json.match(/"(?:[^"\\]|\\.)*"\s*:?/g) ?? []
  return strings.filter(string => string.endsWith(':')).length
}
