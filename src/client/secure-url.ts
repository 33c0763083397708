import { usageError } from './errors.ts'

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/

/**
 * Reads a URL that a credential may be sent to: https, or plain http to this machine alone. `name` says where the URL
 * came from. Throws wrong usage that never quotes the URL: some people put passwords into it.
 */
export function secureUrl(text: string, name: string): URL {
  if (!URL.canParse(text)) throw usageError(`${name} is not a URL: give one like https://jeton.example.com`)
  const url = new URL(text)
  if (url.username || url.password) throw usageError(`${name} has a user or password in it: leave it out`)
  if (url.protocol === 'https:') return url
  if (url.protocol === 'http:' && LOOPBACK.test(url.hostname)) return url
  throw usageError(
    `${name} must begin with https:// (http:// is for this machine alone): over anything else the credential could be read on its way`,
  )
}
