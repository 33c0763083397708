import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { JetonError } from '../errors.ts'
import { isLoopback } from '../lib/loopback.ts'

const PORT = /:\d*$/
/** What proxies add. A proxy beside jeton would show the console to whoever reaches the proxy. */
const PROXY_HEADER = /^(?:forwarded|via|x-forwarded-.*|x-real-ip)$/

/**
 * Returns the error of a request to a console on loopback that was not made on this machine by its name: of a site whose name
 * was made to lead here (DNS rebinding), or through a proxy. The port may be any, since ports are forwarded.
 */
export function refuseForeignHost({
  url = '',
  headers,
}: Pick<IncomingMessage, 'url' | 'headers'>): JetonError | undefined {
  // one in absolute form, as for a proxy, names a host of its own, which counts more (RFC 9112, 3.2.2)
  const host = url.startsWith('/') ? (headers.host?.replace(PORT, '') ?? '') : ''
  if (!isLoopback(host))
    return refusal(
      'the console is on loopback, and the Host of this request is another: open it as localhost or 127.0.0.1',
    )
  const proxied = Object.keys(headers).find(name => PROXY_HEADER.test(name))
  if (proxied === undefined) return undefined
  return refusal(
    `this request came through a proxy (${proxied}), and on loopback the console is for this machine alone: let it listen beyond, with server.admin.tls and operators`,
  )
}

/**
 * Returns the error of a request that another site made a browser send: all but a plain visit. A form must come from the
 * console's own pages. https://www.w3.org/TR/fetch-metadata/
 */
export function refuseForeignSite(method: string, headers: IncomingHttpHeaders): JetonError | undefined {
  const site = headers['sec-fetch-site']
  if (site === 'same-origin') return undefined
  const isRead = method === 'GET' || method === 'HEAD'
  const isVisit = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  if (isRead && (site === undefined || site === 'none' || isVisit)) return undefined
  // browsers that do not send Sec-Fetch-Site
  if (!isRead && site === undefined && isOwnOrigin(headers)) return undefined
  return refusal('this request was made by another site: open the console itself')
}

function isOwnOrigin({ origin, host }: IncomingHttpHeaders): boolean {
  return host !== undefined && (origin === `https://${host}` || origin === `http://${host}`)
}

function refusal(publicMessage: string): JetonError {
  return new JetonError('invalid_request', { publicMessage })
}
