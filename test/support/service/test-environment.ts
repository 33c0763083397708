import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRdsVerifier } from '../../../src/dev/aws/rds-verifier.ts'
import { type Authority, createAuthority } from '../../../src/dev/postgres/certificate-authority.ts'
import { type Sts, startSts } from '../aws/sts.ts'
import type { RealDatabase } from '../databases/database.ts'
import { startMariadb } from '../databases/mariadb.ts'
import { ORDERS } from '../databases/orders.ts'
import { startPostgres } from '../databases/postgres.ts'
import { type Issuer, startIssuer } from '../oidc/issuer.ts'

/** Claims of the one repository and branch that the grants allow. */
export const CLAIMS = { repository: 'acme/orders', ref: 'refs/heads/main' }

/** The second database of tests, beside `ORDERS`. */
export const LEDGER = {
  host: 'ledger.cluster-c9akciq32xyz.us-east-1.rds.amazonaws.com',
  port: 3306,
  region: 'us-east-1',
  resourceId: 'cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
}

export interface TestEnvironmentOptions {
  /** The real databases to start; none unless given. */
  databases?: readonly ('postgres' | 'mariadb')[]
}

/** Stand-ins for everything outside jeton: AWS STS, an OIDC issuer, a CA, and real databases that verify tokens as RDS does. */
export interface TestEnvironment {
  readonly sts: Sts
  readonly issuer: Issuer
  readonly authority: Authority
  /** A folder for the test's files, with the authority's `ca.pem`; `close` removes it. */
  readonly folder: string
  readonly caFile: string
  readonly postgres: RealDatabase | undefined
  readonly mariadb: RealDatabase | undefined
  /** The environment variables of a jeton server. */
  readonly serverEnv: Record<string, string>
  /** Returns a configuration of both databases with a grant for each; `sections` replace its own. */
  config(sections?: object): object
  close(): Promise<void>
}

export async function startTestEnvironment({
  databases = [],
}: TestEnvironmentOptions = {}): Promise<TestEnvironment> {
  const [sts, issuer, folder] = await Promise.all([
    startSts(),
    startIssuer(),
    mkdtemp(join(tmpdir(), 'jeton-test-')),
  ])
  const authority = createAuthority()
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, authority.caPem)
  const [postgres, mariadb] = await Promise.all([
    databases.includes('postgres')
      ? startPostgres({
          authority,
          hosts: [ORDERS.host],
          users: ORDERS.users,
          check: createRdsVerifier({ endpoint: ORDERS, sts }),
        })
      : undefined,
    databases.includes('mariadb')
      ? startMariadb({
          authority,
          hosts: [LEDGER.host, 'localhost'],
          users: ['app_rw'],
          check: createRdsVerifier({ endpoint: LEDGER, sts }),
        })
      : undefined,
  ])

  return {
    sts,
    issuer,
    authority,
    folder,
    caFile,
    postgres,
    mariadb,
    serverEnv: sts.environment(),
    config: sections => ({
      issuers: { ci: { issuer: issuer.url, audience: 'jeton' } },
      databases: {
        orders: {
          engine: 'postgres',
          host: ORDERS.host,
          resourceId: ORDERS.resourceId,
          roleArn: ORDERS.roleArn,
          users: ORDERS.users,
          dbname: 'orders',
          ...(postgres && { connect: `127.0.0.1:${postgres.port}` }),
        },
        ledger: {
          engine: 'mariadb',
          host: LEDGER.host,
          resourceId: LEDGER.resourceId,
          roleArn: 'arn:aws:iam::123456789012:role/jeton-ledger',
          users: ['app_rw'],
          ...(mariadb && { connect: `localhost:${mariadb.port}` }),
        },
      },
      grants: [
        {
          name: 'orders-deploy',
          principal: { issuer: 'ci', claims: CLAIMS },
          database: 'orders',
          users: ['migrator'],
        },
        {
          name: 'ledger-deploy',
          principal: { issuer: 'ci', claims: { repository: 'acme/orders' } },
          database: 'ledger',
          users: ['app_rw'],
        },
      ],
      audit: [{ type: 'file', path: 'audit.jsonl' }],
      ...sections,
    }),
    async close() {
      await Promise.all([postgres?.close(), mariadb?.close(), issuer.close(), sts.close()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}
