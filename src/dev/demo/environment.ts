import { messageOf } from '../../lib/system-error.ts'
import { createRdsVerifier } from '../aws/rds-verifier.ts'
import { type StsStandIn, startStsStandIn } from '../aws/sts.ts'
import { builtInConfig, CI, DEPLOY_CLAIMS, ORDERS_ENDPOINT, ORDERS_USERS } from '../built-in-config.ts'
import { type IssuerStandIns, startIssuerStandIns } from '../issuer/issuers.ts'
import { createAuthority } from '../postgres/certificate-authority.ts'
import { startPostgresServer } from '../postgres/postgres.ts'
import { lookForProgram } from '../postgres/programs.ts'
import { createPrivateFolder, type PrivateFolder } from '../private-folder.ts'
import type { Resources } from '../resources.ts'

/** What the demo's server talks to, and the files of both. */
export interface DemoEnvironment {
  readonly sts: StsStandIn
  readonly issuers: IssuerStandIns
  readonly folder: PrivateFolder
  /** A real one, or why there is none. */
  readonly postgres: DemoPostgres | { readonly missing: string }
  readonly configFile: string
  readonly auditFile: string
}

export interface DemoPostgres {
  readonly port: number
  /** The CA of its certificate. */
  readonly caFile: string
  /** The path of psql. */
  readonly psql: string
}

const HOUR_SECONDS = 3600

/** Starts the stand-ins and, if its programs are found, PostgreSQL; writes the configuration of a server that uses them. */
export async function startDemoEnvironment(resources: Resources): Promise<DemoEnvironment> {
  const now = Date.now
  const sts = await resources.start(
    () => startStsStandIn({ now, region: ORDERS_ENDPOINT.region, sessionTokenLength: 1000 }),
    each => each.close(),
  )
  const issuers = await resources.start(
    () => startIssuerStandIns(now),
    each => each.close(),
  )
  const issuer = issuers.urlOf(CI)
  await issuers.publish([
    { name: CI, issuer, audience: 'jeton', lifetimeSeconds: 8 * HOUR_SECONDS, claims: DEPLOY_CLAIMS },
  ])
  const folder = await resources.start(
    () => createPrivateFolder({ name: 'demo' }),
    each => each.remove(),
  )
  const postgres = await startPostgres({ sts, folder }, resources)
  const auditFile = `${folder.path}/audit.jsonl`
  const config = builtInConfig(issuer, {
    sections: { audit: [{ type: 'file', path: auditFile }] },
    ...('port' in postgres && { database: { connect: `127.0.0.1:${postgres.port}` } }),
  })
  const configFile = await folder.put('jeton.json', JSON.stringify(config, undefined, 2))
  return { sts, issuers, folder, postgres, configFile, auditFile }
}

async function startPostgres(
  { sts, folder }: Pick<DemoEnvironment, 'sts' | 'folder'>,
  resources: Resources,
): Promise<DemoEnvironment['postgres']> {
  const [psql, ...servers] = await Promise.all(['psql', 'postgres', 'initdb'].map(lookForProgram))
  if (psql === undefined || servers.includes(undefined))
    return { missing: 'PostgreSQL is not installed (Debian: apt-get install postgresql)' }
  const authority = createAuthority('jeton demo CA')
  const start = () =>
    startPostgresServer({
      authority,
      hosts: [ORDERS_ENDPOINT.host],
      users: ORDERS_USERS,
      database: 'orders',
      check: createRdsVerifier({ endpoint: ORDERS_ENDPOINT, sts }),
    })
  try {
    const { port } = await resources.start(start, each => each.close())
    return { port, psql, caFile: await folder.put('ca.pem', authority.caPem) }
  } catch (cause) {
    return { missing: `PostgreSQL does not start here (${decisiveLine(messageOf(cause))})` }
  }
}

/** Returns the line in which PostgreSQL's programs say what is wrong: the first that is marked so, else the last. */
function decisiveLine(output: string): string {
  const lines = output.trim().split('\n')
  return (lines.find(line => /\b(?:error|ERROR|FATAL|PANIC): /.test(line)) ?? lines.at(-1) ?? '').trim()
}
