import { STATUS_CODES } from 'node:http'
import { shorten } from '../lib/printable.ts'
import { fitForTerminal } from './errors.ts'
import type { ParsedReply } from './http.ts'

/** Longer than the titles of log-in pages and error pages. */
const MAX_TITLE_LENGTH = 80

/** What web servers say to plain HTTP on a port of TLS: nginx and Go, Apache. */
const TLS_EXPECTED = /\bHTTPS (?:port|server)\b|SSL-enabled server port/

/**
 * Returns a sentence about an answer that is not jeton's: what answered, and what to do. It quotes of the answer no more than
 * the title of a web page and the name of the server.
 */
export function foreignAnswer(reply: ParsedReply, url: URL): string {
  return `${url.host} answered ${statusText(reply.status)}${source(reply)}${remedy(reply, url)}`
}

/** As `foreignAnswer`, for a 200 without what was asked for, such as `a token`. */
export function unexpectedAnswer(
  reply: ParsedReply,
  { host, wanted }: { host: string; wanted: string },
): string {
  return isPage(reply)
    ? `${host} answered 200${source(reply)}, which is not ${wanted}: a log-in page or a portal is in the way, or the URL is of another server`
    : `${host} answered 200, but the answer is not ${wanted}: is this the URL of a jeton server?`
}

function statusText(status: number): string {
  const text = STATUS_CODES[status]
  return text === undefined ? String(status) : `${status} (${text})`
}

function source(reply: ParsedReply): string {
  const server = shorten(fitForTerminal(reply.headers.server ?? ''), MAX_TITLE_LENGTH)
  const by = server === '' ? '' : ` by ${server}`
  if (!isPage(reply)) return by
  const title = /<title[^>]*>([^<]{1,500})/i.exec(reply.text)?.[1] ?? ''
  const shown = shorten(fitForTerminal(title.replace(/\s+/g, ' ')), MAX_TITLE_LENGTH)
  return `${by} with a web page${shown === '' ? '' : ` ("${shown}")`}`
}

function isPage({ headers, text }: ParsedReply): boolean {
  return /html/i.test(headers['content-type'] ?? '') || /^\s*<(?:!doctype|html)/i.test(text)
}

function remedy({ status, text }: ParsedReply, { protocol, host, pathname }: URL): string {
  if (protocol === 'http:' && status === 400 && TLS_EXPECTED.test(text))
    return `: it speaks TLS there, so write https://${host}`
  if (status === 401 || status === 403)
    return ', which is not how jeton refuses: something in front of it did, or the URL is of another server'
  if (status === 404) return `: there is no jeton server at this URL, or not under ${pathname}`
  if (status === 429) return ', which is not how jeton does: something in front of it limits requests'
  if (status === 502 || status === 503 || status === 504)
    return ', which is not how jeton does: what is in front of it cannot reach it at the moment'
  return ': is this the URL of a jeton server?'
}
