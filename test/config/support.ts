import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JWK } from 'jose'
import { onTestFinished } from 'vitest'
import type { Listen } from '../../src/config/check-config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError, problemText } from '../../src/config/problems.ts'
import type { ConfigFile } from '../../src/config/schema.ts'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'

/** A configuration with every section, and comments as people write them. */
export const EXAMPLE = `
server:                              # \`jeton serve\` only
  host: 127.0.0.1                    # anything else needs tls, or behindProxy
  port: 8080
  tls: { cert: server.pem, key: server-key.pem }
  admin: { host: 127.0.0.1, port: 9464 }   # /metrics listens here, apart from callers; off unless configured

issuers:                             # whose JWTs are accepted, by the name that grants use
  github:
    issuer: https://token.actions.githubusercontent.com
    audience: jeton
  cluster:
    issuer: https://kubernetes.default.svc   # many clusters share this name: with pinned keys, the key tells them apart
    audience: jeton
    jwksFile: cluster-jwks.json      # pinned keys: no discovery, for private issuers

apiKeys:                             # for callers that can do no better
  nightly-report: { sha256: "${'9f86d081'.repeat(8)}" }   # or a list of two, to rotate

databases:                           # names: a-z, 0-9 and -, 32 at most
  orders:
    engine: postgres                 # postgres | mysql | mariadb
    host: orders.c9akciq32xyz.us-east-1.rds.amazonaws.com
    port: 5432                       # default: the engine's
    resourceId: db-ABCDEFGHIJKLMNOPQRSTUVWXYZ
    roleArn: arn:aws:iam::123456789012:role/jeton-orders
    users: [app_ro, app_rw, migrator]   # no *, ? or $: they would widen the policy

grants:
  - name: orders-deploy
    principal:
      issuer: github
      claims:                        # all must hold
        repository_id: 123456        # scalars compare by their text
        ref: [refs/heads/main, "refs/tags/v*"]   # any of
    database: orders
    users: [migrator]
    session: shared

store: { type: memory }
audit: [{ type: stdout }, { type: file, path: audit.jsonl }]
`

/** Returns a configuration without problems that names no files, for tests to break in one place. */
export function sound() {
  return {
    issuers: {
      github: { issuer: 'https://token.actions.githubusercontent.com', audience: 'jeton' },
      own: { issuer: 'https://issuer.example', audience: 'jeton', tenancy: 'private' as const },
    },
    apiKeys: { nightly: { sha256: '9f86d081'.repeat(8) } },
    databases: {
      orders: {
        engine: 'postgres' as const,
        host: 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com',
        resourceId: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
        roleArn: 'arn:aws:iam::123456789012:role/jeton-orders',
        users: ['app_ro', 'migrator'],
      },
    },
    grants: [
      {
        name: 'deploy',
        principal: { issuer: 'own', subject: 'deployer' },
        database: 'orders',
        users: ['migrator'],
      },
    ],
  } satisfies ConfigFile
}

export type Sound = ReturnType<typeof sound>

/** Changes of the sound configuration: a section replaced, or members of it added and replaced. */
export const withServer = (server: object) => (config: Sound) => ({ ...config, server })
export const withStore = (store: object) => (config: Sound) => ({ ...config, store })
export const withAudit = (audit: object) => (config: Sound) => ({ ...config, audit })
export const withApiKeys = (apiKeys: object) => (config: Sound) => ({
  ...config,
  apiKeys: { ...config.apiKeys, ...apiKeys },
})
export const withIssuers = (issuers: object) => (config: Sound) => ({
  ...config,
  issuers: { ...config.issuers, ...issuers },
})
export const withDatabases = (databases: object) => (config: Sound) => ({
  ...config,
  databases: { ...config.databases, ...databases },
})
export const withOrders = (members: object) => (config: Sound) =>
  withDatabases({ orders: { ...config.databases.orders, ...members } })(config)
/** As many grants as arguments, each with these members replaced. */
export const withGrants =
  (...grants: object[]) =>
  (config: Sound) => ({ ...config, grants: grants.map(grant => ({ ...config.grants[0], ...grant })) })
export const withPrincipal = (principal: object) => withGrants({ principal })

/** Returns an issuer with pinned keys. Many clusters have this URL. */
export function pinnedIssuer(jwksFile: string, audience = 'jeton') {
  return { issuer: 'https://kubernetes.default.svc', audience, jwksFile }
}

/** Returns the sound configuration with pinned keys for one issuer. */
export function withKeyFile(jwksFile: string) {
  const config = sound()
  return { ...config, issuers: { ...config.issuers, own: { ...config.issuers.own, jwksFile } } }
}

/** What is reported about a file that does not exist. */
export const MISSING_FILE =
  'names a file that cannot be read (ENOENT); a relative path is relative to the folder of the configuration'

const OWNER_ONLY = { mode: 0o600 }

/** Writes a configuration and other files to a new folder, which is removed after the test. Returns the configuration's path. */
export async function written(config: unknown, files: Record<string, string> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'config-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, OWNER_ONLY)
  const path = join(folder, 'jeton.yaml')
  await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config, null, 2), OWNER_ONLY)
  return path
}

/** Returns the problems of a configuration file without their places. Fails if anything but a ConfigError is thrown. */
export async function problemsAt(path: string, listen?: Listen): Promise<string[]> {
  try {
    await loadConfig(path, listen)
    return []
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    return cause.problems.map(({ path, message }) => problemText({ path, message }))
  }
}

/** Returns the problems of a configuration, given as text or as a change of the sound one. */
export async function problemsOf(
  config: string | ((config: Sound) => unknown),
  files: Record<string, string> = {},
): Promise<string[]> {
  return problemsAt(await written(typeof config === 'string' ? config : config(sound()), files))
}

/** Returns the text of a key set with these keys, or with a new one. */
export function jwksText(keys: JWK[] = [publicJwk()]): string {
  return JSON.stringify({ keys })
}

export function publicJwk(kid = randomBytes(4).toString('hex')): JWK {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256' } as JWK
}

export function privateJwk(): JWK {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' } as JWK
}

/** Returns the files of a new certificate and its key. */
export function tlsFiles(): { 'server.pem': string; 'server-key.pem': string } {
  const { certPem, keyPem } = createAuthority().issue(['localhost'])
  return { 'server.pem': certPem, 'server-key.pem': keyPem }
}
