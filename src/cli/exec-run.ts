import type { ChildCommand, SignalHost } from '../client/child-process.ts'
import { invalidUsage } from '../client/errors.ts'
import { parseUrlVariable, type UrlVariable } from '../client/url-variables.ts'
import type { ProxyContext } from './proxy-parts.ts'
import { MAX_PORT, parseWhole } from './proxy-words.ts'

export interface ExecContext extends ProxyContext {
  /** Node's `process`. */
  host: SignalHost
}

/** A command to run with a login. */
export interface ExecRun {
  command: Omit<ChildCommand, 'env'>
  /** Variables to set to a URL of the login, beside DATABASE_URL. */
  urls: readonly UrlVariable[]
  context: ExecContext
}

/** How a command logs in, as written on the command line. */
export interface LoginWords {
  /** Each `NAME` or `NAME:FORM`. */
  urlAs?: readonly string[] | undefined
  proxy?: boolean | undefined
  proxyPort?: string | undefined
}

/** Returns what `--url-as` names. Throws CallerError (a usage error) for what is no variable, and for URLs that lead nowhere. */
export function parseUrlsAs({ urlAs = [], proxy, proxyPort }: LoginWords): UrlVariable[] {
  const urls = urlAs.map(parseUrlAs)
  if (proxy && proxyPort === undefined && urls.some(({ form }) => form === 'jdbc'))
    throw invalidUsage(
      '--url-as NAME:jdbc needs --proxy-port too, as in --proxy-port 0: JDBC knows no Unix sockets, which is what --proxy alone listens at',
    )
  return urls
}

function parseUrlAs(text: string): UrlVariable {
  const variable = parseUrlVariable(text)
  if (variable) return variable
  throw invalidUsage(
    '--url-as takes the name of a variable, with :jdbc after it for a JDBC URL, as in --url-as SPRING_DATASOURCE_URL:jdbc',
  )
}

/** Returns a port of loopback, 0 for any; undefined for a socket. Throws CallerError (a usage error) if the text is no port. */
export function parseProxyPort({ proxy, proxyPort }: LoginWords): number | undefined {
  if (proxyPort !== undefined) return parseWhole(proxyPort, { option: '--proxy-port', min: 0, max: MAX_PORT })
  if (proxy && process.platform === 'win32')
    throw invalidUsage('there are no Unix sockets here: give --proxy-port')
  return undefined
}
