import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Sts, startSts } from '../aws/sts.ts'
import type { RealDatabase } from '../databases/database.ts'
import { startMariadb } from '../databases/mariadb.ts'
import { ORDERS } from '../databases/orders.ts'
import { startPostgres } from '../databases/postgres.ts'
import { judgeFor } from '../databases/rds-verifier.ts'
import { type Issuer, startIssuer } from '../oidc/issuer.ts'
import { type Authority, createAuthority } from './certificate-authority.ts'

/** The second database of tests. */
export const LEDGER = {
  host: 'ledger.cluster-c9akciq32xyz.us-east-1.rds.amazonaws.com',
  port: 3306,
  region: 'us-east-1',
  resourceId: 'cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
}

export interface StageOptions {
  /** Which real databases to start. */
  databases?: readonly ('postgres' | 'mariadb')[]
}

/** Everything that stands in for the outside: AWS STS, an OIDC issuer, a CA, and real databases that ask a judge. */
export interface Stage {
  readonly sts: Sts
  readonly issuer: Issuer
  readonly authority: Authority
  /** A folder for what the test writes, removed at the end, with `ca.pem` of the authority in it. */
  readonly folder: string
  readonly caFile: string
  readonly postgres: RealDatabase | undefined
  readonly mariadb: RealDatabase | undefined
  /** The environment of a jeton server. */
  readonly env: Record<string, string>
  /** A configuration of both databases and a grant on each, its sections replaced by those of `over`. */
  config(over?: object): object
  close(): Promise<void>
}

export async function setStage({ databases = [] }: StageOptions = {}): Promise<Stage> {
  const [sts, issuer, folder] = await Promise.all([
    startSts(),
    startIssuer(),
    mkdtemp(join(tmpdir(), 'jeton-stage-')),
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
          check: judgeFor({ endpoint: ORDERS, sts }),
        })
      : undefined,
    databases.includes('mariadb')
      ? startMariadb({
          authority,
          hosts: [LEDGER.host, 'localhost'],
          users: ['app_rw'],
          check: judgeFor({ endpoint: LEDGER, sts }),
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
    env: sts.environment(),
    config: over => ({
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
          principal: { issuer: 'ci', claims: { repository: 'acme/orders', ref: 'refs/heads/main' } },
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
      ...over,
    }),
    async close() {
      await Promise.all([postgres?.close(), mariadb?.close(), issuer.close(), sts.close()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}
