import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Authority, createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { canRun, hasProgram } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { run } from '../support/run.ts'
import { type ApiStub, startApiStub } from '../support/service/api-stub.ts'
import { CLI, type Jeton, startJeton } from '../support/service/jeton.ts'
import {
  CLAIMS,
  LEDGER,
  startTestEnvironment,
  type TestEnvironment,
} from '../support/service/test-environment.ts'
import { startTcpForwarder, type TcpForwarder } from '../support/tcp-forwarder.ts'

const POSTGRES_NAME = `select current_user || ' ' || ssl from pg_stat_ssl where pid = pg_backend_pid()`

/** Prints the user that a driver for Node logs in as, by the environment alone. */
const NODE = {
  pg: `import pg from 'pg'
    const client = new pg.Client(process.env.DATABASE_URL)
    await client.connect()
    console.log((await client.query("${POSTGRES_NAME}")).rows[0]['?column?'])
    await client.end()`,
  pgByName: `import pg from 'pg'
    const { PGSSLROOTCERT } = process.env
    const client = new pg.Client({ ssl: { ca: (await import('node:fs')).readFileSync(PGSSLROOTCERT) } })
    await client.connect()
    console.log((await client.query("${POSTGRES_NAME}")).rows[0]['?column?'])
    await client.end()`,
  mysql2: `import { createConnection } from 'mysql2/promise'
    import { readFileSync } from 'node:fs'
    const { MYSQL_HOST: host, MYSQL_TCP_PORT: port, MYSQL_USER: user, MYSQL_PWD: password, MYSQL_SSL_CA: ca } = process.env
    const ssl = { ca: readFileSync(ca, 'utf8'), verifyIdentity: true }
    const connection = await createConnection({ host, port: Number(port), user, password, ssl, enableCleartextPlugin: true })
    const [rows] = await connection.query('select current_user() as name')
    console.log(rows[0].name)
    await connection.end()`,
  mariadb: `import { createConnection } from 'mariadb'
    import { readFileSync } from 'node:fs'
    const { MYSQL_HOST: host, MYSQL_TCP_PORT: port, MYSQL_USER: user, MYSQL_PWD: password, MYSQL_SSL_CA: ca } = process.env
    const connection = await createConnection({ host, port: Number(port), user, password, ssl: { ca: readFileSync(ca) } })
    console.log((await connection.query('select current_user() as name'))[0].name)
    await connection.end()`,
}

/** Prints the user that the URL in a variable logs in as. */
const JAVA = `import java.sql.*;
public class Login {
  public static void main(String[] query) throws Exception {
    try (var connection = DriverManager.getConnection(System.getenv("SPRING_DATASOURCE_URL"))) {
      var rows = connection.createStatement().executeQuery(query[0]);
      rows.next();
      System.out.println(rows.getString(1));
    }
  }
}`

/** Debian's driver for MariaDB names a plugin that it lacks, without which it finds none of its others. */
const MISSING_PLUGIN = `package org.mariadb.jdbc.credential.aws;
import org.mariadb.jdbc.HostAddress;
import org.mariadb.jdbc.credential.*;
import org.mariadb.jdbc.util.Options;
public class AwsIamCredentialPlugin implements CredentialPlugin {
  public String type() { return "AWS-IAM"; }
  public String name() { return "missing"; }
  public CredentialPlugin initialize(Options options, String user, HostAddress host) { return this; }
  public Credential get() { throw new UnsupportedOperationException(); }
}`

const JARS = '/usr/share/java/postgresql.jar:/usr/share/java/mariadb-java-client.jar'
const hasJava = (await hasProgram('javac')) && (await canRun(['java-drivers']))

/**
 * Each form as it is printed, in the hands of the program that it is for. The databases are real and behind a tunnel; the
 * tokens are real, and the server's reply has the CA of these databases, which AWS's bundle does not know.
 */
const canLogIn = await canRun(['postgres', 'psql', 'mariadb', 'mariadb-client'])
describe.runIf(canLogIn)('a caller logs in through a tunnel with', () => {
  let environment: TestEnvironment
  let jeton: Jeton
  let api: ApiStub
  let tunnels: Record<'orders' | 'ledger', TcpForwarder>
  let caPem: string
  /** What the tunnels are called. MariaDB's certificate is for `localhost` too, because its clients check the name they dial. */
  let tunnelHost: string

  beforeAll(async () => {
    environment = await startTestEnvironment({ databases: ['postgres', 'mariadb'] })
    const { folder, postgres, mariadb } = environment
    jeton = await startJeton({ config: environment.config(), env: environment.serverEnv, folder })
    tunnels = {
      orders: await startTcpForwarder(postgres?.port ?? 0),
      ledger: await startTcpForwarder(mariadb?.port ?? 0),
    }
    const replies = { orders: await vend('orders'), ledger: await vend('ledger') }
    api = await startApiStub()
    api.answers = [
      ({ body }) => {
        const { database } = JSON.parse(body) as { database: 'orders' | 'ledger' }
        const connect = `${tunnelHost}:${tunnels[database].port}`
        return { body: { ...replies[database], connect, ca: { pem: caPem } } }
      },
    ]
  })
  afterAll(async () => {
    await Promise.all([tunnels?.orders.close(), tunnels?.ledger.close(), api?.close(), jeton?.close()])
    await environment?.close()
  })

  async function vend(database: string) {
    const jwt = await environment.issuer.sign({ sub: 'me', ...CLAIMS })
    return (await jeton.requestToken(`Bearer ${jwt}`, { database })).body
  }

  /** Runs a script of the shell in which `jeton` is the built command; its HOME is new. */
  async function shell(
    script: string,
    { authority = environment.authority, host = 'localhost' }: { authority?: Authority; host?: string } = {},
  ) {
    caPem = authority.caPem
    tunnelHost = host
    const home = join(environment.folder, `home ${Math.random().toString(36).slice(2)}`)
    await mkdir(home)
    const bin = join(home, 'jeton')
    await writeFile(bin, `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`)
    await chmod(bin, 0o755)
    const env = {
      PATH: `${home}:${process.env.PATH}`,
      HOME: home,
      JETON_URL: api.url,
      JETON_JWT: 'eyJ.eyJ.x',
      NODE: process.execPath,
    }
    return run('/bin/sh', ['-euc', `cd "$HOME"; umask 077; ${script}`], { env })
  }

  const node = (code: string) => `"$NODE" --input-type=module -e '${code.replaceAll("'", "'\\''")}'`
  /** Modules are looked for beside the code, which is where the shell is. */
  const withModules = (script: string) =>
    `ln -s '${join(import.meta.dirname, '../../node_modules')}' .; ${script}`
  const psql = (args: string) => `psql ${args} -wAtc "${POSTGRES_NAME}"`

  test.each([
    ['-o env and psql', `eval "$(jeton token orders -o env)"; ${psql('')}`],
    [
      '-o pgpass, -o service and psql',
      `jeton token orders -o pgpass > pass; jeton token orders -o service > .pg_service.conf; PGPASSFILE=$PWD/pass ${psql('service=orders')}`,
    ],
    ['-o uri and psql', psql('"$(jeton token orders -o uri)"')],
    [
      'jeton exec, its URL and psql',
      `jeton exec orders -- sh -c '${psql('"$DATABASE_URL"').replaceAll("'", "'\\''")}'`,
    ],
    ['jeton exec, its URL and pg', withModules(`jeton exec orders -- ${node(NODE.pg)}`)],
    ['jeton exec, its variables and pg', withModules(`jeton exec orders -- ${node(NODE.pgByName)}`)],
  ])('PostgreSQL: %s', async (_, script) => {
    const before = tunnels.orders.connections
    expect(await shell(script)).toEqual({ code: 0, stdout: 'migrator true\n', stderr: '' })
    expect(tunnels.orders.connections).toBe(before + 1)
  })

  test.each([
    ['-o env and mariadb', `eval "$(jeton token ledger -o env)"; mariadb -NBe 'select current_user()'`],
    [
      '-o mycnf and mariadb',
      `jeton token ledger -o mycnf > my.cnf; mariadb --defaults-file=my.cnf -NBe 'select current_user()'`,
    ],
    ['jeton exec and mariadb', `jeton exec ledger -- mariadb -NBe 'select current_user()'`],
    ['jeton exec and mysql2', withModules(`jeton exec ledger -- ${node(NODE.mysql2)}`), '127.0.0.1'],
    [
      'jeton exec and the mariadb connector',
      withModules(`jeton exec ledger -- ${node(NODE.mariadb)}`),
      '127.0.0.1',
    ],
  ])('MariaDB: %s', async (_, script, host = 'localhost') => {
    const before = tunnels.ledger.connections
    expect(await shell(script, { host })).toEqual({ code: 0, stdout: 'app_rw@%\n', stderr: '' })
    expect(tunnels.ledger.connections).toBe(before + 1)
  })

  test.runIf(hasJava)(
    'both: jeton exec, JDBC URLs, and Java that finds the tunnels by RDS’s names',
    async () => {
      const [plugin, login, hosts] = ['AwsIamCredentialPlugin.java', 'Login.java', 'hosts'].map(name =>
        join(environment.folder, name),
      ) as [string, string, string]
      await writeFile(plugin, MISSING_PLUGIN)
      await writeFile(login, JAVA)
      await writeFile(hosts, `127.0.0.1 localhost ${ORDERS.host} ${LEDGER.host}\n`)
      const java = (query: string) =>
        `java -cp '${JARS}:plugin' '-Djdk.net.hosts.file=${hosts}' '${login}' '${query}'`
      const script = `javac -cp ${JARS} -d plugin '${plugin}'
      jeton exec orders --url-as SPRING_DATASOURCE_URL:jdbc -- ${java('select current_user')}
      jeton exec ledger --url-as SPRING_DATASOURCE_URL:jdbc -- ${java('select current_user()')}`
      expect(await shell(script)).toEqual({ code: 0, stdout: 'migrator\napp_rw@%\n', stderr: '' })
    },
  )

  test.each([
    ['-o env and psql', 'orders', `eval "$(jeton token orders -o env)"; ${psql('')}`],
    ['-o uri and psql', 'orders', psql('"$(jeton token orders -o uri)"')],
    ['jeton exec, its URL and pg', 'orders', withModules(`jeton exec orders -- ${node(NODE.pg)}`)],
    ['-o env and mariadb', 'ledger', `eval "$(jeton token ledger -o env)"; mariadb -e 'select 1'`],
    [
      '-o mycnf and mariadb',
      'ledger',
      `jeton token ledger -o mycnf > my.cnf; mariadb --defaults-file=my.cnf -e 'select 1'`,
    ],
    ['jeton exec and mysql2', 'ledger', withModules(`jeton exec ledger -- ${node(NODE.mysql2)}`)],
  ] as const)('no server but RDS’s: %s', async (_, database, script) => {
    const { logins } = (database === 'orders' ? environment.postgres : environment.mariadb) ?? { logins: [] }
    const before = logins.length
    const { code, stdout, stderr } = await shell(script, { authority: createAuthority() })
    expect([code === 0, stdout]).toEqual([false, ''])
    expect(stderr).toMatch(/certificate/i)
    expect(logins).toHaveLength(before)
  })
})
