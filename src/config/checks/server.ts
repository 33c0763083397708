import { createSecureContext } from 'node:tls'
import type { ServerConfig } from '../config.ts'
import type { Report } from '../report.ts'
import type { ConfigFile } from '../schema.ts'
import type { Files } from '../source/files.ts'

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/i
const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = 8080
const DEFAULT_ADMIN_PORT = 9464

type ServerSection = NonNullable<ConfigFile['server']>

/** Tokens and JWTs must not cross a network in clear: beyond loopback the server wants TLS, its own or a proxy's. */
export async function checkServer(
  server: ServerSection,
  { files, report }: { files: Files; report: Report },
): Promise<ServerConfig> {
  const { port = DEFAULT_PORT, behindProxy } = server
  const host = addressOf(server.host)
  if (!isLoopback(host) && !server.tls && behindProxy === undefined)
    report.problem(
      'is not loopback: tokens would cross the network in clear. Give server.tls, or say with server.behindProxy how many proxies that end TLS stand in front',
      'host',
    )
  const tls = server.tls && (await checkTls(server.tls, { files, report: report.at('tls') }))
  const admin = server.admin && {
    host: addressOf(server.admin.host),
    port: server.admin.port ?? DEFAULT_ADMIN_PORT,
  }
  if (admin && admin.host === host && admin.port === port && port !== 0)
    report.problem('is the port for callers too: give it one of its own', 'admin', 'port')
  return { host, port, behindProxy, tls, admin }
}

/** `localhost` may be two addresses, and so two servers; one is meant. */
function addressOf(host: string | undefined): string {
  return host === undefined || host === 'localhost' ? DEFAULT_HOST : host
}

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

async function checkTls(
  paths: NonNullable<ServerSection['tls']>,
  { files, report }: { files: Files; report: Report },
): Promise<ServerConfig['tls']> {
  const cert = await files.read(paths.cert, report.at('cert'))
  const key = await files.read(paths.key, report.at('key'))
  const isCert = cert !== undefined && isUsable({ cert })
  const isKey = key !== undefined && isUsable({ key })
  if (cert !== undefined && !isCert) report.problem('names a file without a certificate in PEM', 'cert')
  if (key !== undefined && !isKey)
    report.problem('names a file without a private key in PEM (an encrypted one cannot be used)', 'key')
  if (!isCert || !isKey) return undefined
  if (!isUsable({ cert, key })) report.problem('the key is not the one that the certificate is for')
  return { cert, key }
}

/** Never tells why not: OpenSSL's words may quote what it read. */
function isUsable(pair: { cert?: string; key?: string }): boolean {
  try {
    createSecureContext(pair)
    return true
  } catch {
    return false
  }
}
