import type { FastifyReply } from 'fastify'

/** Nothing here is a page: no browser is to sniff, frame, embed or run any of it. https://owasp.org/www-project-secure-headers/ */
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

/** The headers of every reply. `isSecure` where jeton itself speaks TLS (RFC 6797). */
export function commonHeaders(reply: FastifyReply, { isSecure }: { isSecure: boolean }): FastifyReply {
  if (isSecure) reply.header('strict-transport-security', 'max-age=31536000')
  return reply.headers(SECURITY_HEADERS).header('x-request-id', reply.request.id)
}
