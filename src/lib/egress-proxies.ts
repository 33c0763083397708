import { parseNoProxy } from './no-proxy.ts'
import type { Environment } from './process-input.ts'

/** An HTTP proxy that jeton's own requests go through. */
export interface EgressProxy {
  /** Without its user and password. */
  readonly url: URL
  /** `HOST:PORT`, for logs and errors. */
  readonly name: string
  /** The value of `Proxy-Authorization`, a secret; undefined if the proxy asks for none. */
  readonly authorization: string | undefined
}

/** Returns the proxy for requests to a URL; undefined if they go directly. */
export type FindProxy = (url: URL) => EgressProxy | undefined

export interface EgressProxies {
  readonly findProxy: FindProxy
  /** By the names of their variables. */
  readonly byVariable: ReadonlyMap<string, EgressProxy>
  /** What is wrong with a variable, as `path`. Never quotes its value, which may have a password in it. */
  readonly problems: readonly { readonly path: string; readonly message: string }[]
}

const EXAMPLE = 'such as http://proxy.example.com:3128'

/**
 * Reads the proxies that the environment names, as curl does: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, `NO_PROXY` for
 * what goes directly (see `parseNoProxy`). Names in lower case count first, an empty variable as unset, and a proxy without a
 * scheme as http. A variable with a problem names none.
 * https://everything.curl.dev/usingcurl/proxies/env.html
 */
export function readEgressProxies(env: Environment): EgressProxies {
  const problems: { path: string; message: string }[] = []
  const byVariable = new Map<string, EgressProxy>()

  function read(name: string): EgressProxy | undefined {
    const path = variableIn(env, name)
    const proxy = path === undefined ? undefined : parseProxy(env[path] ?? '')
    if (path === undefined || proxy === undefined) return undefined
    if ('message' in proxy) {
      problems.push({ path, message: proxy.message })
      return undefined
    }
    byVariable.set(path, proxy)
    return proxy
  }

  const proxies: Readonly<Record<string, EgressProxy | undefined>> = {
    'https:': read('HTTPS_PROXY'),
    'http:': read('HTTP_PROXY'),
  }
  // to parse addresses takes a while, and most environments name no proxy
  if (byVariable.size === 0) return { findProxy: () => undefined, byVariable, problems }
  const exceptions = variableIn(env, 'NO_PROXY')
  const isDirect = parseNoProxy(exceptions && env[exceptions])
  return {
    findProxy: url => (proxies[url.protocol] && !isDirect(url) ? proxies[url.protocol] : undefined),
    byVariable,
    problems,
  }
}

/** Returns the variable that counts of the two spellings of its name; undefined if neither is set. */
function variableIn(env: Environment, name: string): string | undefined {
  return [name.toLowerCase(), name].find(each => env[each]?.trim())
}

function parseProxy(value: string): EgressProxy | { message: string } {
  const text = value.trim()
  if (/^["'`]/.test(text)) return { message: 'has quotation marks around it: leave them out' }
  const href = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(href))
    return {
      message: `is not the URL of a proxy: give one ${EXAMPLE}; encode what is special in a password (%40 for @)`,
    }
  const url = new URL(href)
  const { protocol, username, password, hostname, port } = url
  if (protocol !== 'http:' && protocol !== 'https:')
    return { message: `must be the URL of an HTTP proxy, ${EXAMPLE}: jeton speaks no SOCKS` }
  // what stands there was most likely meant as a part of the password
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return {
      message: `has something behind the host: give a URL ${EXAMPLE}; in a password, encode / ? # as %2F %3F %23`,
    }
  const credentials = decodeCredentials(username, password)
  if (credentials === undefined)
    return { message: 'has a % in its user or password that encodes nothing: write it as %25' }
  url.username = ''
  url.password = ''
  return {
    url,
    name: `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`,
    authorization: credentials === ':' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`,
  }
}

function decodeCredentials(username: string, password: string): string | undefined {
  try {
    return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  } catch {
    return undefined
  }
}
