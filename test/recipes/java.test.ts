import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findFreePort } from '../../src/dev/postgres/daemon.ts'
import { canRun, hasProgram } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { startDaemon } from './daemon.ts'
import { type RecipeEnvironment, startRecipeEnvironment } from './environment.ts'

/** A JDK is too big to be installed for this alone. */
const hasJava = (await hasProgram('javac')) && (await canRun(['java-drivers', 'libnss-wrapper']))
const JARS = ['HikariCP', 'postgresql', 'mariadb-java-client', 'slf4j-api', 'slf4j-nop']
/** For programs that end after a second it is quicker to compile less, and to start fewer threads. */
const BRIEF = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
const CLASSPATH = ['.', ...JARS.map(name => `/usr/share/java/${name}.jar`)].join(':')

/** The files of the page. */
const CLASSES = ['JetonTokens.java', 'OrdersDataSource.java', 'OrdersPassword.java', 'LedgerDataSource.java']

interface JavaRecipe {
  readonly engine: 'postgres' | 'mariadb'
  readonly dataSource: string
  /** Its `JetonTokens`. */
  readonly tokens: string
  readonly user: string
  readonly refusal: RegExp
}

const RECIPES: readonly JavaRecipe[] = [
  {
    engine: 'postgres',
    dataSource: 'OrdersDataSource',
    tokens: 'OrdersDataSource.ORDERS',
    user: 'migrator',
    refusal:
      /^Exception .* org\.postgresql\.util\.PSQLException: FATAL: LDAP authentication failed for user "migrator"$/m,
  },
  {
    engine: 'mariadb',
    dataSource: 'LedgerDataSource',
    tokens: 'LedgerDataSource.LEDGER',
    user: 'app_rw@%',
    refusal:
      /^Exception .* java\.sql\.SQLInvalidAuthorizationSpecException: .*Access denied for user 'app_rw'@'127\.0\.0\.1' \(using password: NO\)$/m,
  },
]

/**
 * `twice` takes a connection of the pool, waits for a newer token, takes another beside it, and prints the user of that;
 * `once` connects without the pool.
 */
const main = ({ dataSource, tokens }: JavaRecipe, pool: string) => `
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;

public final class Main {
    static void print(Connection connection) throws Exception {
        try (connection; ResultSet row = connection.createStatement().executeQuery("select current_user")) {
            row.next();
            System.out.println(row.getString(1));
        }
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("once")) print(new ${dataSource}().getConnection());
        else if (arguments[0].equals("url"))
            for (int n = 1; n < arguments.length; n++) print(DriverManager.getConnection(arguments[n]));
        else twice();
    }

    static void twice() throws Exception {
        ${pool.replaceAll('OrdersDataSource', dataSource)}
        Connection first = pool.getConnection();
        String old = ${tokens}.get("token");
        while (${tokens}.get("token").equals(old)) Thread.sleep(100);
        pool.getHikariPoolMXBean().softEvictConnections(); // those that it keeps idle
        print(pool.getConnection());
        pool.close();
    }
}
`

describe.runIf(hasJava).each(RECIPES)('JDBC and $dataSource', java => {
  let recipe: RecipeEnvironment
  beforeAll(async () => {
    recipe = await startRecipeEnvironment(java.engine)
    const page = await readDocsPage('connect/jdbc')
    for (const name of CLASSES) await recipe.put(name, exampleIn(page, name))
    await recipe.put('Main.java', main(java, exampleIn(page, 'hikari')))
    const sources = ['Main.java', ...CLASSES]
    const flags = [...BRIEF.map(flag => `-J${flag}`), '-cp', CLASSPATH, '-Xlint:all,-serial']
    const compiled = await recipe.run('javac', [...flags, ...sources])
    expect(compiled).toEqual({ code: 0, stdout: '', stderr: '' })
  })
  afterAll(() => recipe?.close())

  // drivers look for files in the home of the account, whatever HOME is
  const runMain = (...args: string[]) =>
    recipe.run('java', [...BRIEF, '-cp', CLASSPATH, `-Duser.home=${recipe.folder}`, 'Main', ...args])

  test('a pool of HikariCP logs in, and with a newer token after that', async () => {
    expect(await runMain('twice')).toEqual({ code: 0, stdout: `${java.user}\n`, stderr: '' })
    expect(recipe.logins.every(login => login.ok)).toBe(true)
    expect(recipe.logins.at(-1)?.fingerprint).not.toBe(recipe.logins[0]?.fingerprint)
  })

  test('a token that has ended is refused with the exception of the page', async () => {
    recipe.expireTokens()
    const { stdout, stderr } = await runMain('once')
    recipe.restoreClock()
    expect(stdout).toBe('')
    expect(stderr).toMatch(java.refusal)
  })

  test.runIf(java.engine === 'postgres')('a URL with authenticationPluginClassName logs in', async () => {
    const page = await readDocsPage('connect/jdbc')
    const [, url = '', writeCa = ''] = /`(jdbc:postgresql:[^`]+)`.*`(jeton token [^`]+)`/.exec(page) ?? []
    expect(await recipe.run('sh', ['-c', writeCa])).toMatchObject({ code: 0 })
    const host = `orders.c9akciq32xyz.us-east-1.rds.amazonaws.com:${recipe.database.port}`
    const ran = await runMain('url', url.replace('HOST', host).replace('app_ro', java.user))
    expect(ran).toEqual({ code: 0, stdout: `${java.user}\n`, stderr: '' })
  })

  test.runIf(java.engine === 'postgres')('finds what an agent writes for DBeaver and DataGrip', async () => {
    const here = (text: string) =>
      text
        .replace('/home/me', recipe.folder)
        .replace(`${ORDERS.host}:5432`, `${ORDERS.host}:${recipe.database.port}`)
        .replace('app_ro', java.user)
    const pages = await Promise.all([readDocsPage('connect/dbeaver'), readDocsPage('connect/datagrip')])
    const [agent = '', same] = pages.map(page => exampleIn(page, 'agent').trim())
    expect(same).toBe(agent)
    expect(await recipe.run('sh', ['-c', `${agent} --once`])).toMatchObject({ code: 0 })
    const [first = '', second = ''] = pages.map(page => here(exampleIn(page, 'url')).trim())
    // DataGrip has the user in a field of its own
    const ran = await runMain('url', first, `${second}&user=${java.user}`)
    expect(ran).toEqual({ code: 0, stdout: `${java.user}\n${java.user}\n`, stderr: '' })
  })

  test.runIf(java.engine === 'mariadb')(
    'logs in at a port of the proxy, as DBeaver and DataGrip do',
    async () => {
      const [dbeaver, datagrip] = await Promise.all([
        readDocsPage('connect/dbeaver'),
        readDocsPage('connect/datagrip'),
      ])
      expect(exampleIn(datagrip, 'proxy')).toBe(exampleIn(dbeaver, 'proxy'))
      const port = String(await findFreePort())
      const at = (text: string) => text.trim().replace('13306', port)
      const proxy = await startDaemon(recipe, at(exampleIn(dbeaver, 'proxy')).split(' '))
      const ran = await runMain('url', `${at(exampleIn(datagrip, 'proxy-url'))}&user=app_ro&password=any`)
      expect(await proxy.stop()).toBe(0)
      expect(ran).toEqual({ code: 0, stdout: `${java.user}\n`, stderr: '' })
    },
  )
})
