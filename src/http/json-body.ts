import type { FastifyBodyParser } from 'fastify'
import { JetonError } from '../errors.ts'
import type { App } from './types.ts'

/**
 * Takes bodies of `application/json` alone, and none that names a member twice: JSON.parse drops all but the last, and
 * what jeton then reads need not be what a proxy before it has checked (RFC 8259, 4). `__proto__` and `constructor` are
 * refused by Fastify's own parser. Only bodies without nesting are looked at: the schemas refuse all others.
 */
export function acceptJsonAlone(app: App): void {
  const parse: FastifyBodyParser<string> = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    void parse(request, text, (error, body: unknown) => {
      if (error || !namesTwice(text, body)) return done(error, body)
      done(new JetonError('invalid_request', { publicMessage: 'the body names one of its members twice' }))
    })
  })
}

function namesTwice(text: string, body: unknown): boolean {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false
  const values: unknown[] = Object.values(body)
  return values.every(value => typeof value !== 'object') && membersIn(text) > values.length
}

/** How many names stand in a JSON text: strings before a colon. Valid JSON has no quote but around strings. */
function membersIn(json: string): number {
  // most bodies have one member, and a single colon says so
  const colon = json.indexOf(':')
  if (colon === json.lastIndexOf(':')) return colon === -1 ? 0 : 1
  const strings = json.match(/"(?:[^"\\]|\\.)*"\s*:?/g) ?? []
  return strings.filter(string => string.endsWith(':')).length
}
