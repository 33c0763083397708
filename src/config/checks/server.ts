import { isLoopback } from '../../lib/loopback.ts'
import type { ServerConfig } from '../config.ts'
import type { Report } from '../problems.ts'
import type { Sections } from '../sections.ts'
import { checkTls, type TlsCheck } from './tls.ts'

const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = 8080
const DEFAULT_ADMIN_PORT = 9464
const DEFAULT_MAX_CONNECTIONS = 4000

type ServerSection = NonNullable<Sections['server']>

/**
 * Returns the server's configuration with defaults. Tokens and JWTs must not cross a network unencrypted, so a server that
 * listens on more than loopback needs TLS, its own or that of a proxy.
 */
export async function checkServer(
  server: ServerSection,
  { report, warnings, ...context }: TlsCheck,
): Promise<ServerConfig> {
  const { port = DEFAULT_PORT, behindProxy } = server
  const host = addressOf(server.host)
  if (!isLoopback(host) && !server.tls && behindProxy === undefined)
    report.problem(
      'is not loopback, so tokens would cross the network unencrypted: set server.tls or, if proxies with TLS are in front, set server.behindProxy to their number',
      'host',
    )
  const tls =
    server.tls &&
    (await checkTls(server.tls, { ...context, report: report.at('tls'), warnings: warnings.at('tls') }))
  const admin = server.admin && {
    host: addressOf(server.admin.host),
    port: server.admin.port ?? DEFAULT_ADMIN_PORT,
  }
  if (admin && admin.host === host && admin.port === port && port !== 0)
    report.problem('is also server.port: /metrics needs a port of its own', 'admin', 'port')
  const connections = checkConnections(server, report.at('connections'))
  return { host, port, behindProxy, connections, tls, admin }
}

/** `localhost` may resolve to two addresses, on which Node would open two servers. */
function addressOf(host: string | undefined): string {
  return host === undefined || host === 'localhost' ? DEFAULT_HOST : host
}

/** Behind proxies all connections are theirs, and to limit them by address would be to limit them in all. */
function checkConnections(
  { connections = {}, behindProxy }: ServerSection,
  report: Report,
): ServerConfig['connections'] {
  const { max = DEFAULT_MAX_CONNECTIONS, maxPerAddress } = connections
  if (maxPerAddress !== undefined && behindProxy !== undefined)
    report.problem(
      'has no meaning with server.behindProxy, where all connections come from proxies: set such a limit at the proxy',
      'maxPerAddress',
    )
  if (maxPerAddress !== undefined && maxPerAddress > max)
    report.problem(`must not be more than max, which is ${max}`, 'maxPerAddress')
  if (behindProxy !== undefined) return { max, maxPerAddress: undefined }
  return { max, maxPerAddress: maxPerAddress ?? Math.ceil(max / 4) }
}
