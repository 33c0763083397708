import { PassThrough } from 'node:stream'
import { newApiKey } from '../../../src/authentication/api-key.ts'
import type { Config } from '../../../src/config/config.ts'
import { createRdsVerifier, type LoginCheck } from '../../../src/dev/aws/rds-verifier.ts'
import { type Authority, createAuthority } from '../../../src/dev/postgres/certificate-authority.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import type { Address, Database } from '../../../src/rds/database.ts'
import { createService } from '../../../src/service.ts'
import { type Sts, startSts } from '../aws/sts.ts'
import { stubEnvironment } from '../aws/stub-environment.ts'
import type { RealDatabase } from '../databases/database.ts'
import { startMariadb } from '../databases/mariadb.ts'
import { ORDERS } from '../databases/orders.ts'
import { startPostgres } from '../databases/postgres.ts'
import { type JetonFront, startJetonFront } from '../service/jeton-front.ts'
import { createLogRecorder } from '../service/log-recorder.ts'
import { LEDGER } from '../service/test-environment.ts'

/** A database of jeton's configuration. All are signed for one endpoint. */
export interface ServedDatabase {
  /** Who logs in; default: `app_rw`. */
  readonly user?: string
  /** Where clients connect to; default: the real server. */
  readonly connect?: Address
  /** Whether the caller may have tokens for it; default: yes. */
  readonly isGranted?: boolean
}

/** A whole jeton in this process, and a real database that checks its tokens. */
export interface ProxyService {
  readonly real: RealDatabase
  readonly authority: Authority
  readonly sts: Sts
  /** The caller's, who is `night-shift`. */
  readonly apiKey: string
  /** Fingerprints of tokens that the database refuses. */
  readonly revoked: Set<string>
  /** Puts a front before jeton, for one proxy: what it asks, and what it is answered. */
  startFront(): Promise<JetonFront>
  close(): Promise<void>
}

export interface ProxyServiceOptions {
  engine: 'postgres' | 'mariadb'
  databases: Readonly<Record<string, ServedDatabase>>
  /** Issues the certificate of the real server. */
  authority?: Authority
  /** How many clients PostgreSQL lets in; default: 200. */
  maxConnections?: number
}

export const SUBJECT = 'night-shift'
const USERS = ['app_rw', 'app_ro']

/** Starts it on the clock of this process. The environment stays changed until `vi.unstubAllEnvs()`. */
export async function startProxyService(options: ProxyServiceOptions): Promise<ProxyService> {
  const { engine, databases, authority = createAuthority(), maxConnections } = options
  const sts = await startSts({ now: () => Date.now() })
  stubEnvironment(sts.environment())
  const endpoint: Database =
    engine === 'postgres'
      ? { ...ORDERS, dbname: 'orders' }
      : { ...ORDERS, ...LEDGER, engine: 'mariadb', kind: 'cluster', dbname: 'ledger' }
  const revoked = new Set<string>()
  const verify = createRdsVerifier({ endpoint, sts, now: () => Date.now() })
  const check: LoginCheck = login =>
    revoked.has(sha256Hex(login.token)) ? { ok: false, reason: 'revoked' } : verify(login)
  const start = engine === 'postgres' ? startPostgres : startMariadb
  const real = await start({
    authority,
    hosts: [endpoint.host],
    users: USERS,
    database: endpoint.dbname ?? '',
    ...(maxConnections !== undefined && { maxConnections }),
    check,
  })

  const { key, sha256 } = newApiKey()
  const served = Object.entries(databases)
  const config: Config = {
    server: { host: '127.0.0.1', port: 0 },
    issuers: [],
    apiKeys: { [SUBJECT]: [sha256] },
    store: { type: 'memory' },
    audit: [{ type: 'stdout' }],
    origin: { sha256: '', files: {} },
    databases: served.map(([name, { connect }]) => ({
      ...endpoint,
      name,
      users: USERS,
      connect: connect ?? { host: '127.0.0.1', port: real.port },
    })),
    grants: served
      .filter(([, { isGranted }]) => isGranted !== false)
      .map(([name, { user = 'app_rw' }]) => ({
        name,
        principal: { issuer: 'apiKey', subject: SUBJECT },
        database: name,
        users: [user],
      })),
  }
  const service = await createService(config, {
    log: createLogRecorder(),
    stdout: new PassThrough().resume(),
    instance: 'test/1',
  })
  const jetonUrl = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const fronts: JetonFront[] = []
  return {
    real,
    authority,
    sts,
    apiKey: key,
    revoked,
    async startFront() {
      const front = await startJetonFront(jetonUrl, authority.caPem)
      fronts.push(front)
      return front
    },
    async close() {
      await Promise.all(fronts.map(front => front.close()))
      await service.close()
      await Promise.all([real.close(), sts.close()])
    },
  }
}
