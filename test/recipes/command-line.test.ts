import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { canRun, hasProgram } from '../support/databases/install.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { startAgent } from '../support/service/agent.ts'
import { startDaemon } from './daemon.ts'
import { type RecipeEnvironment, startRecipeEnvironment } from './environment.ts'
import { commandOf, readUnit } from './units.ts'

/** Runs an example of a page line by line; returns what each line printed. */
async function runLines(recipe: RecipeEnvironment, text: string): Promise<string[]> {
  const printed: string[] = []
  for (const line of text.trim().split('\n')) {
    const { code, stdout, stderr } = await recipe.run('sh', ['-c', line])
    expect(code, `${line}: ${stderr}`).toBe(0)
    printed.push(stdout)
  }
  return printed
}

const hasPostgres = await canRun(['postgres', 'psql', 'libnss-wrapper'])
describe.runIf(hasPostgres)('jeton exec and the clients of PostgreSQL', () => {
  let recipe: RecipeEnvironment
  beforeAll(async () => {
    recipe = await startRecipeEnvironment('postgres')
    await recipe.database.admin('grant create on schema public to migrator')
  })
  afterAll(() => recipe?.close())

  test('run the commands of the page', async () => {
    const [user] = await runLines(recipe, exampleIn(await readDocsPage('connect/psql'), 'psql'))
    expect(user).toBe('migrator\n')
    const dump = await readFile(join(recipe.folder, 'orders.sql'), 'utf8')
    expect(dump).toContain('CREATE TABLE public.pgbench_accounts')
  })

  test('psql logs in by the files of the page', async () => {
    const printed = await runLines(recipe, exampleIn(await readDocsPage('connect/psql'), 'pgpass'))
    expect(printed.at(-1)).toBe('migrator\n')
    const evaluated = await recipe.run('sh', [
      '-c',
      'eval "$(jeton token orders -o env)"; psql -Atc "select current_user"',
    ])
    expect(evaluated).toEqual({ code: 0, stdout: 'migrator\n', stderr: '' })
  })

  test('psql logs in by the settings of pgAdmin and the files that the unit of the agent writes', async () => {
    const unit = await readUnit('user/jeton-agent@.service')
    const specifiers = { i: 'orders', h: recipe.folder, E: join(recipe.folder, '.config') }
    const [, ...first] = commandOf(unit, 'ExecStartPre', { specifiers })
    const [, ...then] = commandOf(unit, 'ExecStart', { specifiers })
    expect(first.filter(word => word !== '--once')).toEqual(then)
    expect(await recipe.run('jeton', first)).toMatchObject({ code: 0 })
    const file = exampleIn(await readDocsPage('connect/pgadmin'), 'passfile')
    const server = JSON.parse(file.replaceAll('/home/me', recipe.folder)).Servers['1']
    const settings = {
      host: server.Host,
      port: recipe.database.port,
      dbname: server.MaintenanceDB,
      user: server.Username.replace('app_ro', 'migrator'),
      ...server.ConnectionParameters,
    }
    const words = Object.entries(settings).map(([name, value]) => `${name}='${value}'`)
    for (const login of [words.join(' '), 'service=orders'])
      expect(await recipe.run('psql', ['-XAtc', 'select current_user', login])).toEqual({
        code: 0,
        stdout: 'migrator\n',
        stderr: '',
      })
  })

  test('pgAdmin’s command prints a token, which lasts for as long as it is kept', async () => {
    const file = exampleIn(await readDocsPage('connect/pgadmin'), 'command')
    const { PasswordExecCommand, PasswordExecExpiration } = JSON.parse(file)
    const ran = await recipe.run('sh', ['-c', PasswordExecCommand.replace('/usr/local/bin/', '')])
    expect(ran).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^orders\.\S+X-Amz-Signature=\w+\n$/),
    })
    // every token has 5 minutes left at least
    expect(PasswordExecExpiration).toBeLessThan(5 * 60)
  })

  test('psql goes on after its token has ended, and cannot connect anew', async () => {
    await recipe.put(
      'script.sql',
      `\\! touch connected; while [ ! -f expired ]; do sleep 0.1; done
select current_user;
\\c
`,
    )
    const running = recipe.run('jeton', ['exec', 'orders', '--', 'psql', '-XAtf', 'script.sql'])
    while (!existsSync(join(recipe.folder, 'connected'))) await pause(50)
    recipe.expireTokens()
    await recipe.put('expired', '')
    const { stdout, stderr } = await running
    recipe.restoreClock()
    expect(stdout).toBe('migrator\n')
    expect(stderr).toContain('FATAL:  LDAP authentication failed for user "migrator"')
  })

  test("the program of Terraform's data source prints one object, all of whose values are text", async () => {
    const page = await readDocsPage('connect/terraform')
    const [, list = ''] = /program = (\[.*\])/.exec(exampleIn(page, 'external')) ?? []
    const [file = '', ...args]: string[] = JSON.parse(list)
    const { code, stdout, stderr } = await recipe.run(file, args, { input: '{}' })
    expect([code, stderr]).toEqual([0, ''])
    const result: Record<string, unknown> = JSON.parse(stdout)
    expect(result).toMatchObject({ host: expect.any(String), user: 'migrator', caFile: expect.any(String) })
    expect(Object.values(result).filter(value => typeof value !== 'string')).toEqual([])
    const foreign = args.map(word => word.replace('orders', 'no-such-database'))
    expect(await recipe.run(file, foreign, { input: '{}' })).toMatchObject({ code: 3, stdout: '' })
  })
})

test.runIf(await hasProgram('terraform'))('Terraform reads the examples as they are', async () => {
  const page = await readDocsPage('connect/terraform')
  for (const name of ['provider', 'external']) {
    const input = exampleIn(page, name)
    expect(await run('terraform', ['fmt', '-'], { input })).toMatchObject({ code: 0, stdout: input })
  }
})

const hasMariadb = await canRun(['mariadb', 'mariadb-client', 'libnss-wrapper'])
describe.runIf(hasMariadb)('jeton exec and the clients of MariaDB', () => {
  let recipe: RecipeEnvironment
  beforeAll(async () => {
    recipe = await startRecipeEnvironment('mariadb')
    await recipe.put('schema.sql', 'create table parcels (id int);\n')
  })
  afterAll(() => recipe?.close())

  test('an option file that the agent keeps logs in, though another host stands there, with newer tokens too', async () => {
    const file = await recipe.put('kept.cnf', '[client]\nhost=wrong.example\nuser=root\n[mysqldump]\nquick')
    const agent = startAgent(['ledger', '--mycnf', file], { env: recipe.env })
    await agent.ready
    const mariadb = () => recipe.run('mariadb', [`--defaults-file=${file}`, '-NBe', 'select current_user()'])
    const newest = () => recipe.logins.at(-1)?.fingerprint
    expect(await mariadb()).toEqual({ code: 0, stdout: 'app_rw@%\n', stderr: '' })
    for (const first = newest(); newest() === first; ) {
      agent.wake()
      expect(await mariadb()).toMatchObject({ code: 0 })
    }
    expect(recipe.logins.every(({ ok }) => ok)).toBe(true)
    expect(await agent.stop()).toBe(0)
  })

  test('run the commands of the page', async () => {
    const page = await readDocsPage('connect/mysql-clients')
    const [user] = await runLines(recipe, exampleIn(page, 'mariadb'))
    expect(user).toBe('app_rw@%\n')
    expect(await recipe.database.admin('show tables')).toEqual([{ Tables_in_ledger: 'parcels' }])
    const byFile = await runLines(recipe, exampleIn(page, 'mycnf'))
    expect(byFile.at(-1)).toBe('app_rw@%\n')
  })

  test('the socket of Grafana’s data source logs in', async () => {
    const [source] = parse(exampleIn(await readDocsPage('connect/grafana'), 'ledger')).datasources
    const socket = source.url.replace('/run/jeton', join(recipe.folder, 'run'))
    // RDS's port, which the test's database has not
    const command = ['jeton', 'proxy', 'ledger:3306', '--socket-dir', dirname(socket)]
    const proxy = await startDaemon(recipe, command)
    const login = [`--socket=${socket}`, `--user=${source.user}`, `--database=${source.jsonData.database}`]
    const query = ['--batch', '--skip-column-names', '--execute', 'select current_user()']
    const ran = await recipe.run('mariadb', ['--no-defaults', ...login, ...query])
    expect(await proxy.stop()).toBe(0)
    expect([source.type, ran]).toEqual(['mysql', { code: 0, stdout: 'app_rw@%\n', stderr: '' }])
  })

  test('a token that has ended is refused with the error of the page', async () => {
    recipe.expireTokens()
    const ran = await recipe.run('jeton', ['exec', 'ledger', '--', 'mariadb', '--execute', 'select 1'])
    expect(ran).toEqual({
      code: 1,
      stdout: '',
      stderr: "ERROR 1045 (28000): Access denied for user 'app_rw'@'127.0.0.1' (using password: NO)\n",
    })
  })
})
