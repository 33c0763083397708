import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loginVariables, MYSQL_VARIABLES, POSTGRES_VARIABLES } from '../../src/client/client-variables.ts'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { canRun } from '../support/databases/install.ts'
import { type Jeton, runCli, startJeton } from '../support/service/jeton.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'

const CLAIMS = { sub: 'me', repository: 'acme/orders', ref: 'refs/heads/main' }
/** Nothing listens there. */
const NOWHERE = '127.0.0.1'

/** Newer versions of libpq know more. */
const FATAL_SINCE_LIBPQ_15 = [
  'PGHOST',
  'PGHOSTADDR',
  'PGPORT',
  'PGUSER',
  'PGPASSWORD',
  'PGSERVICE',
  'PGCHANNELBINDING',
  'PGSSLMODE',
  'PGSSLMINPROTOCOLVERSION',
  'PGSSLMAXPROTOCOLVERSION',
  'PGSSLCERT',
  'PGSSLCRL',
  'PGGSSENCMODE',
  'PGTARGETSESSIONATTRS',
]

/** A script for each value: it logs in with that value alone, and prints `NAME fails` if that fails. */
function oneByOne(hostile: Record<string, string>, login: string): string {
  return Object.entries(hostile)
    .map(([name, value]) => `${name}='${value}' ${login} >&- 2>&- || echo ${name} fails`)
    .join('\n')
}

/**
 * What a caller may have in its environment for other databases. Each value would be wrong here: the first test of an engine
 * shows that by setting it again for the client, the second that the login works with all of them in jeton's environment.
 */
const canLogIn = await canRun(['postgres', 'psql', 'mariadb', 'mariadb-client'])
describe.runIf(canLogIn)('jeton exec logs in whatever the environment has for other databases:', () => {
  let environment: TestEnvironment
  let jeton: Jeton
  let postgres: Record<string, string>
  let mysql: Record<string, string>

  beforeAll(async () => {
    environment = await startTestEnvironment({ databases: ['postgres', 'mariadb'] })
    const { folder } = environment
    jeton = await startJeton({ config: environment.config(), env: environment.serverEnv, folder })
    const foreign = createAuthority().issue(['foreign.example'])
    const put = async (name: string, text: string) => {
      await writeFile(join(folder, name), text, { mode: 0o600 })
      return join(folder, name)
    }
    const [cert, key] = [await put('other.pem', foreign.certPem), await put('other.key', 'no key')]
    const services = await put('services', `[other]\nhost=${NOWHERE}\nport=1\nuser=x\n`)
    postgres = {
      DATABASE_URL: `postgresql://x@${NOWHERE}:1/x`,
      PGHOST: 'other.example',
      PGHOSTADDR: '127.0.0.9',
      PGPORT: '1',
      PGUSER: 'x',
      PGPASSWORD: 'x',
      PGPASSFILE: cert,
      PGSERVICE: 'other',
      PGSERVICEFILE: services,
      PGSYSCONFDIR: folder,
      PGREQUIREAUTH: 'scram-sha-256',
      PGCHANNELBINDING: 'require',
      PGREQUIREPEER: 'x',
      PGSSLMODE: 'disable',
      PGREQUIRESSL: '1',
      PGSSLNEGOTIATION: 'direct',
      PGSSLCOMPRESSION: '1',
      PGSSLSNI: 'x',
      PGSSLMINPROTOCOLVERSION: 'TLSv9',
      PGSSLMAXPROTOCOLVERSION: 'TLSv1',
      PGSSLCERT: cert,
      PGSSLKEY: key,
      PGSSLPASSWORD: 'x',
      PGSSLCERTMODE: 'require',
      PGSSLCRL: cert,
      PGSSLCRLDIR: folder,
      PGGSSENCMODE: 'require',
      PGGSSDELEGATION: '1',
      PGGSSLIB: 'x',
      PGKRBSRVNAME: 'x',
      PGTARGETSESSIONATTRS: 'standby',
      PGLOADBALANCEHOSTS: 'x',
      PGMINPROTOCOLVERSION: '9.9',
      PGMAXPROTOCOLVERSION: 'x',
    }
    mysql = {
      DATABASE_URL: `mysql://x@${NOWHERE}:1/x`,
      MYSQL_HOST: NOWHERE,
      MYSQL_TCP_PORT: '1',
      MYSQL_UNIX_PORT: '/none',
      MARIADB_UNIX_PORT: '/none',
      MYSQL_USER: 'x',
      MYSQL_PWD: 'x',
      MYSQL_GROUP_SUFFIX: '_other',
      MARIADB_GROUP_SUFFIX: '_other',
      MARIADB_TLS_DISABLE_PEER_VERIFICATION: '1',
      LIBMYSQL_PLUGINS: 'none',
    }
    await put('.my.cnf', `[client_other]\nport=1\nhost=${NOWHERE}\n`)
  })
  afterAll(async () => {
    await jeton?.close()
    await environment?.close()
  })

  /** Runs a script under `jeton exec`, with these variables in jeton's own environment. */
  async function exec(database: string, script: string, inherited: Record<string, string> = {}) {
    const JETON_JWT = await environment.issuer.sign(CLAIMS)
    const env = { ...inherited, HOME: environment.folder, JETON_URL: jeton.url, JETON_JWT }
    const args = ['exec', database, '--ca', environment.caFile, '--', 'sh', '-c', script]
    return runCli(args, { env })
  }

  test('the values are those of all variables of the login', () => {
    expect(Object.keys(postgres).sort()).toEqual(loginVariables(POSTGRES_VARIABLES).sort())
    expect(Object.keys(mysql).sort()).toEqual(loginVariables(MYSQL_VARIABLES).sort())
  })

  test('the values fail a login with psql, if the command itself sets them', async () => {
    const { stdout } = await exec('orders', oneByOne(postgres, 'psql -wc "select 1"'))
    for (const name of FATAL_SINCE_LIBPQ_15) expect(stdout).toContain(`${name} fails`)
  })

  test('psql logs in', async () => {
    expect(await exec('orders', 'psql -wAtc "select current_user"', postgres)).toEqual({
      code: 0,
      stdout: 'migrator\n',
      stderr: '',
    })
  })

  test('the values fail a login with mariadb, if the command itself sets them', async () => {
    const { stdout } = await exec('ledger', oneByOne(mysql, 'mariadb -e "select 1"'))
    for (const name of ['MYSQL_PWD', 'MYSQL_GROUP_SUFFIX']) expect(stdout).toContain(`${name} fails`)
  })

  test('mariadb logs in', async () => {
    expect(await exec('ledger', 'mariadb -NBe "select current_user()"', mysql)).toEqual({
      code: 0,
      stdout: 'app_rw@%\n',
      stderr: '',
    })
  })
})
