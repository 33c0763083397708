import { invalidUsage } from './errors.ts'
import { parseSecureUrl } from './http.ts'

/** Paths of jeton's API that people copy along with the server's URL. A path that only ends in `/v1` may be a gateway's. */
const API_PATH = /\/(?:v1\/(?:tokens|databases|whoami|ca\/[^/]+)|healthz|readyz|openapi\.json)$/

export interface ServerUrlOptions {
  /** What errors call the URL; default: the option and the variable. */
  name?: string | undefined
  /** What is asked of the server, such as `/v1/tokens`. */
  path: string
}

/**
 * Returns the URL of `path` at the server whose URL is `text`, with or without a path of its own; its query is dropped. Throws
 * CallerError (exit code 2) if it is not one that a credential may be sent to, or has a path of jeton's API in it.
 */
export function parseServerUrl(
  text: string,
  { name = 'the server URL (--url or JETON_URL)', path }: ServerUrlOptions,
): URL {
  const url = parseSecureUrl(text, name)
  const base = url.pathname.replace(/\/+$/, '')
  const [apiPath] = API_PATH.exec(base) ?? []
  if (apiPath !== undefined)
    throw invalidUsage(
      `${name} has ${apiPath} in it, which is a path of jeton's API: write ${url.origin}${base.slice(0, -apiPath.length)}`,
    )
  url.pathname = `${base}${path}`
  url.search = ''
  url.hash = ''
  return url
}
