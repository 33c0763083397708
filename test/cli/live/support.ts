import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, vi } from 'vitest'
import { liveCommand } from '../../../src/cli/live/command.ts'
import type { LookUpHost } from '../../../src/cli/live/endpoints.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { type Dynamodb, startDynamodb } from '../../support/aws/dynamodb.ts'
import { type KmsServer, startKms } from '../../support/aws/kms.ts'
import { type Sts, startSts } from '../../support/aws/sts.ts'
import { stubEnvironment } from '../../support/aws/stub-environment.ts'
import { type Issuer, startIssuer } from '../../support/oidc/issuer.ts'

export interface LiveStandIns {
  readonly sts: Sts
  readonly kms: KmsServer
  readonly dynamodb: Dynamodb
  readonly issuer: Issuer
  readonly folder: string
  /** The environment variables that lead to them. */
  readonly env: Record<string, string>
  /** Returns a configuration that names all of them; `sections` replace its own. */
  config(sections?: object): object
}

export interface LiveOutcome {
  readonly exitCode: 0 | 1
  readonly stdout: string
  /** The result of each check, by what it tries. */
  readonly results: Readonly<Record<string, string>>
  /** The detail of each check. */
  readonly details: Readonly<Record<string, string>>
}

const ROLE = 'arn:aws:iam::123456789012:role/jeton-orders'
const ORDERS = {
  engine: 'postgres',
  host: 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com',
  resourceId: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  roleArn: ROLE,
  users: ['app_ro', 'migrator'],
}
/** Three roles: one of two databases with external ids of their own, one for principals alone. */
export const DATABASES = {
  orders: ORDERS,
  ledger: { ...ORDERS, host: 'ledger.c9akciq32xyz.us-east-1.rds.amazonaws.com', externalId: 'ledger-id' },
  stock: {
    ...ORDERS,
    host: 'stock.c9akciq32xyz.us-east-1.rds.amazonaws.com',
    roleArn: 'arn:aws:iam::123456789012:role/jeton-stock',
  },
}

/** Gives each test stand-ins for all that `jeton check --live` tries, and this process the environment that leads to them. */
export function useLiveStandIns() {
  let current: LiveStandIns

  beforeEach(async () => {
    const [sts, kms, dynamodb, issuer, folder] = await Promise.all([
      startSts(),
      startKms(),
      startDynamodb(),
      startIssuer(),
      mkdtemp(join(tmpdir(), 'jeton-live-')),
    ])
    const env = { ...kms.environment(), ...dynamodb.environment(), ...sts.environment() }
    stubEnvironment(env)
    await writeFile(join(folder, 'pinned.json'), JSON.stringify({ keys: [publicKey()] }))
    current = {
      sts,
      kms,
      dynamodb,
      issuer,
      folder,
      env,
      config: sections => ({
        issuers: {
          ci: { issuer: issuer.url, audience: 'jeton' },
          cluster: { issuer: 'https://kubernetes.default.svc', audience: 'jeton', jwksFile: 'pinned.json' },
        },
        databases: DATABASES,
        grants: [
          { name: 'a', principal: { issuer: 'ci', subject: 'a' }, database: 'orders', users: ['migrator'] },
          {
            name: 'b',
            principal: { issuer: 'ci', subject: 'b' },
            database: 'stock',
            users: ['app_ro'],
            session: 'per-principal',
          },
        ],
        store: { type: 'dynamodb', table: 'jeton', encryption: { kmsKeyId: 'alias/jeton' } },
        audit: [
          { type: 'stdout' },
          { type: 'file', path: 'audit.jsonl' },
          { type: 'dynamodb', table: 'jeton-audit', retentionDays: 30 },
        ],
        ...sections,
      }),
    }
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    const { sts, kms, dynamodb, issuer, folder } = current
    await Promise.all([sts.close(), kms.close(), dynamodb.close(), issuer.close()])
    await rm(folder, { recursive: true, force: true })
  })

  /** Writes the configuration, and returns its path. */
  async function written(sections: object = {}): Promise<string> {
    const path = join(current.folder, 'jeton.json')
    await writeFile(path, JSON.stringify(current.config(sections)))
    return path
  }

  return {
    standIns: () => current,
    written,
    /** Runs the checks of a configuration whose sections are replaced. */
    async goLive(
      sections: object = {},
      { lookUp = resolves, isStrict = false, fetch = globalThis.fetch }: Partial<LiveSettings> = {},
    ): Promise<LiveOutcome> {
      const config = await loadConfig(await written(sections))
      let stdout = ''
      const output = { write: (text: string) => (stdout += text) }
      const clock = systemClock()
      const exitCode = await liveCommand(config, { stdout: output, clock, fetch, lookUp, isStrict })
      const rows = stdout.split('\n').flatMap(line => {
        const [what, result, detail] = line.split(/ {2,}/)
        return what && result && detail ? [[what, result, detail] as const] : []
      })
      return {
        exitCode,
        stdout,
        results: Object.fromEntries(rows.slice(1).map(([what, result]) => [what, result])),
        details: Object.fromEntries(rows.slice(1).map(([what, , detail]) => [what, detail])),
      }
    },
  }
}

interface LiveSettings {
  lookUp: LookUpHost
  isStrict: boolean
  fetch: typeof globalThis.fetch
}

const resolves: LookUpHost = async () => ({ address: '10.0.0.5', family: 4 })

/** Returns a public key as a JWK, with members replaced. */
export function publicKey(members: object = {}): object {
  const { publicKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...key.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', ...members }
}
