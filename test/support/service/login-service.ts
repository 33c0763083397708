import { PassThrough } from 'node:stream'
import { newApiKey } from '../../../src/authentication/api-key.ts'
import type { Config } from '../../../src/config/config.ts'
import { createRdsVerifier, type LoginCheck } from '../../../src/dev/aws/rds-verifier.ts'
import { type Authority, createAuthority } from '../../../src/dev/postgres/certificate-authority.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import type { Database } from '../../../src/rds/database.ts'
import { createService } from '../../../src/service.ts'
import { type Sts, startSts } from '../aws/sts.ts'
import { stubEnvironment } from '../aws/stub-environment.ts'
import type { RealDatabase } from '../databases/database.ts'
import { startMariadb } from '../databases/mariadb.ts'
import { ORDERS } from '../databases/orders.ts'
import { startPostgres } from '../databases/postgres.ts'
import { startJetonFront, type TokenRequest } from './jeton-front.ts'
import { createLogRecorder } from './log-recorder.ts'
import { LEDGER } from './test-environment.ts'

/** A whole jeton in this process, which vends tokens for real databases, and what it was asked. */
export interface LoginService {
  readonly url: string
  /** May be `app_rw` of the databases `orders` and `ledger`. */
  readonly apiKey: string
  readonly requests: readonly TokenRequest[]
  /** Fingerprints of tokens that the databases refuse. */
  readonly revoked: Set<string>
  readonly sts: Sts
  readonly authority: Authority
  readonly postgres: RealDatabase
  readonly mariadb: RealDatabase
  close(): Promise<void>
}

export interface LoginServiceOptions {
  /** How long role sessions last; default: an hour. */
  sessionMs?: number
}

const USER = 'app_rw'
/** A name that no certificate has. */
const TUNNEL = 'localhost'

/**
 * Starts it with its stand-ins, on the clock of this process. What it vends is left as it is, but for the certificates: those
 * of RDS give way to those of the databases' authority. The environment stays changed until `vi.unstubAllEnvs()`.
 */
export async function startLoginService({ sessionMs }: LoginServiceOptions = {}): Promise<LoginService> {
  const sts = await startSts({ now: () => Date.now() })
  sts.faults.lifetimeMs = sessionMs
  stubEnvironment(sts.environment())
  const authority = createAuthority()
  const orders: Database = { ...ORDERS, dbname: 'orders' }
  const ledger: Database = { ...orders, ...LEDGER, name: 'ledger', engine: 'mariadb', kind: 'cluster' }
  const revoked = new Set<string>()
  const start = (of: typeof startPostgres, endpoint: Database) => {
    const verify = createRdsVerifier({ endpoint, sts, now: () => Date.now() })
    const check: LoginCheck = login =>
      revoked.has(sha256Hex(login.token)) ? { ok: false, reason: 'revoked' } : verify(login)
    return of({ authority, hosts: [endpoint.host], users: [USER], check })
  }
  const [postgres, mariadb] = await Promise.all([start(startPostgres, orders), start(startMariadb, ledger)])
  const { key, sha256 } = newApiKey()
  const service = await createService(
    {
      ...BASE_CONFIG,
      apiKeys: { pool: [sha256] },
      databases: [
        { ...orders, connect: { host: TUNNEL, port: postgres.port } },
        { ...ledger, connect: { host: TUNNEL, port: mariadb.port } },
      ],
      grants: [orders, ledger].map(({ name }) => ({
        name: `${name}-pool`,
        principal: { issuer: 'apiKey', subject: 'pool' },
        database: name,
        users: [USER],
      })),
    },
    { log: createLogRecorder(), stdout: new PassThrough().resume(), instance: 'test/1' },
  )
  const jetonUrl = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const front = await startJetonFront(jetonUrl, authority.caPem)
  return {
    url: front.url,
    apiKey: key,
    requests: front.requests,
    revoked,
    sts,
    authority,
    postgres,
    mariadb,
    async close() {
      await front.close()
      await service.close()
      await Promise.all([postgres.close(), mariadb.close(), sts.close()])
    },
  }
}

const BASE_CONFIG: Omit<Config, 'databases' | 'grants'> = {
  server: { host: '127.0.0.1', port: 0 },
  issuers: [],
  apiKeys: {},
  store: { type: 'memory' },
  audit: [{ type: 'stdout' }],
  origin: { sha256: '', files: {} },
}
