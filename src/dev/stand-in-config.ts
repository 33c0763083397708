import type { JSONWebKeySet } from 'jose'
import { audiencesOf } from '../authentication/audience.ts'
import type { Config } from '../config/config.ts'
import { placeProblems } from '../config/placed-problems.ts'
import { ConfigError } from '../config/problems.ts'
import type { ConfigSource } from '../config/source/source.ts'
import { isLoopback } from '../lib/loopback.ts'
import { exampleClaims } from './issuer/example-claims.ts'
import type { StandInIssuer } from './issuer/issuers.ts'

const HOUR_SECONDS = 3600

/** Throws `ConfigError` if a configuration's server is not on loopback, whether it has TLS or not. */
export async function refuseOffLoopback({ server, origin }: Config, source: ConfigSource): Promise<void> {
  if (isLoopback(server.host)) return
  const message = 'is not loopback, and --dev listens on nothing else: add --host 127.0.0.1'
  const problem = { path: 'server.host', message, segments: ['server', 'host'] }
  const { file, text } = await source.read()
  throw new ConfigError(await placeProblems([problem], { file, text, value: undefined }), origin)
}

/**
 * Returns a configuration as `--dev` serves it: the keys of its issuers are those of stand-ins, and nothing of it is on a
 * network, on disk or at AWS. What was doubtful of it is not said, for none of it lets anyone in.
 */
export function withStandIns(config: Config, keysOf: (issuer: string) => JSONWebKeySet): Config {
  const { server, issuers } = config
  const { host, port, connections, admin } = server
  return {
    ...config,
    server: {
      host,
      port,
      connections,
      ...(admin && { admin: { host, port: admin.port, console: admin.console } }),
    },
    issuers: issuers.map(issuer => ({ ...issuer, jwks: keysOf(issuer.name) })),
    store: { type: 'memory' },
    audit: [{ type: 'stdout' }],
    warnings: [],
  }
}

/** Returns the stand-ins for a configuration's issuers, whose JWTs meet the first grant for each. */
export function standInIssuers({ issuers, grants }: Pick<Config, 'issuers' | 'grants'>): StandInIssuer[] {
  return issuers.map(({ name, issuer, audience, maxLifetimeSeconds = HOUR_SECONDS }) => {
    const [first = ''] = audiencesOf({ audience })
    const grant = grants.find(({ principal }) => principal.issuer === name)
    return {
      name,
      issuer,
      audience: first,
      lifetimeSeconds: Math.min(HOUR_SECONDS, maxLifetimeSeconds),
      claims: grant ? exampleClaims(grant.principal) : {},
    }
  })
}

/** Returns what of a configuration `--dev` does not use, in words, and what it uses in its place. */
export function replacedParts({ server, store, audit }: Config): string[] {
  const sinks = audit.map(({ type }) => type)
  return [
    ...(store.type === 'memory' ? [] : [`memory for the ${store.type} store`]),
    ...(sinks.join() === 'stdout' ? [] : [`stdout for the audit log (${sinks.join(', ')})`]),
    ...(server.behindProxy === undefined ? [] : ['direct connections for those of proxies']),
  ]
}
