import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { parseIpAddress } from '../../lib/ip-address.ts'
import { isLoopback } from '../../lib/loopback.ts'
import type { AdminConfig, ServerConfig } from '../config.ts'
import type { Report } from '../problems.ts'
import type { Sections } from '../sections.ts'
import { checkTls, type TlsCheck } from './tls.ts'

const CONSOLE_NEEDS = 'is beyond loopback, where the console needs'
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
  { report, warnings, hasOperators, ...context }: TlsCheck & { hasOperators: boolean },
): Promise<ServerConfig> {
  const { port = DEFAULT_PORT, behindProxy } = server
  const host = addressOf(server.host)
  checkHost(host, report)
  if (context.purpose === 'check') warnOfForeignHost(host, warnings)
  if (!isLoopback(host) && !server.tls && behindProxy === undefined)
    report.problem(
      'is not loopback, so tokens would cross the network unencrypted: set server.tls or, if proxies with TLS are in front, set server.behindProxy to their number',
      'host',
    )
  const tls =
    server.tls &&
    (await checkTls(server.tls, { ...context, report: report.at('tls'), warnings: warnings.at('tls') }))
  const reports = { report: report.at('admin'), warnings: warnings.at('admin') }
  const admin = server.admin && (await checkAdmin(server.admin, { ...context, ...reports, hasOperators }))
  if (admin && admin.port === port && port !== 0 && isOneListener(admin.host, host))
    report.problem('is also server.port: /metrics needs a port of its own', 'admin', 'port')
  const connections = checkConnections(server, report.at('connections'))
  return { host, port, behindProxy, connections, tls, admin }
}

/**
 * Returns the admin listener with defaults. Credentials must not cross a network unencrypted, nor the console be shown to
 * whoever reaches it. A reload without operators is only doubtful, since to refuse it would undo a revocation.
 */
async function checkAdmin(
  section: NonNullable<ServerSection['admin']>,
  { report, warnings, hasOperators, ...context }: TlsCheck & { hasOperators: boolean },
): Promise<AdminConfig> {
  const { port = DEFAULT_ADMIN_PORT, console = false } = section
  const host = addressOf(section.host)
  checkHost(host, report)
  if (console && !isLoopback(host)) {
    if (!section.tls)
      report.problem(`${CONSOLE_NEEDS} TLS, for it is opened with a credential: set server.admin.tls`, 'host')
    if (!hasOperators)
      (typeof context.purpose === 'string' ? report : warnings).problem(
        `${CONSOLE_NEEDS} operators, or nobody may open it: name them in operators, as principals are named in grants`,
        'host',
      )
  }
  const at = { report: report.at('tls'), warnings: warnings.at('tls') }
  const tls = section.tls && (await checkTls(section.tls, { ...context, ...at }))
  return { host, port, ...(console && { console }), ...(tls && { tls }) }
}

/** `localhost` may resolve to two addresses, on which Node would open two servers. */
function addressOf(host: string | undefined): string {
  return host === undefined || host === 'localhost' ? DEFAULT_HOST : host
}

const HOST_NAME =
  /^(?!.{254})(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i

/** Does not check that this machine has the address, nor that a name resolves. */
function checkHost(host: string, report: Report): void {
  if (isIP(host) !== 0) return
  if (host === '*') report.problem('is *: write 0.0.0.0 for all addresses of IPv4, :: for all', 'host')
  else if (/^\[.*\]$/.test(host)) report.problem('has brackets: write the address without them', 'host')
  else if (host.includes('/')) report.problem('is a URL or a path: write only an address or a name', 'host')
  else if (host.includes(':'))
    report.problem('contains a port: write only an address or a name, and the port as `port`', 'host')
  else if (!HOST_NAME.test(host) || /(?:^|\.)\d+$/.test(host))
    report.problem('is not an address or a name, such as 127.0.0.1 or 0.0.0.0', 'host')
}

/** It may be checked on another machine than it runs on, and an address may come to a machine later. */
function warnOfForeignHost(host: string, warnings: Report): void {
  const address = parseIpAddress(host)
  if (address === undefined || isLoopback(address) || ['0.0.0.0', '::'].includes(address)) return
  const own = Object.values(networkInterfaces()).flatMap(
    each => each?.map(one => parseIpAddress(one.address)) ?? [],
  )
  if (!own.includes(address))
    warnings.problem(
      `is ${address}, which this machine does not have: jeton cannot listen there; 0.0.0.0 is all addresses that it has`,
      'host',
    )
}

/** Whether two addresses cannot have one port each: they are the same, or one of them stands for all. */
function isOneListener(one: string, other: string): boolean {
  const [a, b] = [one, other].map(host => parseIpAddress(host) ?? host.toLowerCase())
  return a === b || [a, b].includes('::') || ([a, b].includes('0.0.0.0') && !`${a}${b}`.includes(':'))
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
