import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { findFreePort } from '../../src/dev/postgres/daemon.ts'
import { canRun } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { type Daemon, startDaemon } from './daemon.ts'
import { type RecipeEnvironment, startRecipeEnvironment } from './environment.ts'
import { type Probe, readDeployment } from './manifests.ts'
import { commandOf, readUnit } from './units.ts'

const LOGGED_IN = { code: 0, stdout: 'migrator\n', stderr: '' }

/** The test's database has another port than RDS's. */
const atPort = (word: string, _: number, [, command]: readonly string[]) =>
  command === 'proxy' ? word.replace(/^orders$/, 'orders:5432') : word

/** Programs that know of no token, logged in by the proxy of the unit for a user, as the pages have it. */
const hasTools = await canRun(['postgres', 'psql', 'libnss-wrapper', 'python-drivers'])
describe.runIf(hasTools)('through the proxy', () => {
  let recipe: RecipeEnvironment
  let proxy: Daemon
  let unit: string
  let command: string[]
  let runtime: string

  /** What the pages and the unit call by the paths and the user of an example. */
  const here = (text: string) =>
    text
      .replaceAll('/run/user/1000', runtime)
      .replaceAll('$XDG_RUNTIME_DIR', runtime)
      .replaceAll('/run/jeton', join(runtime, 'jeton'))
      .replaceAll('app_ro', 'migrator')
  const example = async (page: string, name: string) =>
    here(exampleIn(await readDocsPage(`connect/${page}`), name))

  beforeAll(async () => {
    recipe = await startRecipeEnvironment('postgres')
    runtime = join(recipe.folder, 'runtime')
    // as systemd makes it
    await mkdir(join(runtime, 'jeton', 'orders'), { recursive: true, mode: 0o700 })
    unit = await readUnit('user/jeton-proxy@.service')
    const specifiers = { i: 'orders', t: runtime, h: recipe.folder, E: join(recipe.folder, '.config') }
    const [, ...args] = commandOf(unit, 'ExecStart', { specifiers })
    command = ['jeton', ...args]
    proxy = await startDaemon(recipe, command.map(atPort))
  })
  afterAll(async () => {
    await proxy?.stop()
    await recipe?.close()
  })

  const waitFor = (pid: number, folder: string) => {
    const specifiers = { i: 'orders', t: folder }
    const variables = { MAINPID: String(pid) }
    const [file = '', ...args] = commandOf(unit, 'ExecStartPost', { specifiers, variables })
    return recipe.run(file, args)
  }
  const psql = (settings: string) => recipe.run('psql', ['-XAtc', 'select current_user', settings])

  test('systemd’s wait for the socket ends when it is there, and fails once the process is gone', async () => {
    expect(JSON.parse(proxy.firstLine)).toMatchObject({ msg: 'listening', database: 'orders' })
    expect(await waitFor(proxy.pid, runtime)).toEqual({ code: 0, stdout: '', stderr: '' })
    const gone = spawn('true')
    await once(gone, 'close')
    expect(await waitFor(gone.pid ?? 0, join(recipe.folder, 'empty'))).toMatchObject({ code: 1 })
    expect((await stat(join(runtime, 'jeton/orders/.s.PGSQL.5432'))).mode & 0o777).toBe(0o600)
  })

  test('the unit leads psql to its socket', async () => {
    const [, login = ''] = /^# {3}(psql .*)$/m.exec(unit) ?? []
    const ran = await recipe.run('sh', ['-c', `${here(login)} -XAtc 'select current_user'`])
    expect(ran).toEqual(LOGGED_IN)
  })

  test('Grafana’s data source has the settings of a login', async () => {
    const [source] = parse(await example('grafana', 'orders')).datasources
    expect(source.type).toBe('postgres')
    // as its connection_string.go makes it of them
    const settings = `user='${source.user}' password='' host='${source.url}' dbname='${source.jsonData.database}' sslmode='${source.jsonData.sslmode}'`
    expect(await psql(settings)).toEqual(LOGGED_IN)
  })

  test('pgAdmin’s server has, too', async () => {
    const server = JSON.parse(await example('pgadmin', 'socket')).Servers['1']
    const { sslmode, connect_timeout } = server.ConnectionParameters
    const settings = `host='${server.Host}' port=${server.Port} dbname='${server.MaintenanceDB}' user='${server.Username}' sslmode=${sslmode} connect_timeout=${connect_timeout}`
    expect(await psql(settings)).toEqual(LOGGED_IN)
  })

  test('Prisma’s URLs lead to the socket, and to the port of a command', async () => {
    await recipe.put('log-in.mjs', LOG_IN)
    const logIn = ['node', 'log-in.mjs']
    const [, url = ''] = /^DATABASE_URL="(.*)"$/m.exec(await example('prisma', 'socket')) ?? []
    expect(await recipe.run('env', [`DATABASE_URL=${url}`, ...logIn])).toEqual(LOGGED_IN)
    const command = (await example('prisma', 'migrate')).replace(/-- .*/, `-- ${logIn.join(' ')}`)
    expect(await recipe.run('sh', ['-c', command])).toEqual(LOGGED_IN)
  })

  test('Terraform’s provider gets a port, which holds in its URL', async () => {
    const command = (await example('terraform', 'long')).replace(/-- .*/, '-- sh -c "$SCRIPT"')
    const script = 'echo "$PGHOST" "$PGSSLMODE"; psql -XAtc "select current_user"'
    const ran = await recipe.run('env', [`SCRIPT=${script}`, 'sh', '-c', command])
    expect(ran).toMatchObject({ code: 0, stdout: '127.0.0.1 disable\nmigrator\n' })
  })

  test('a program that reads its password once connects after its token has ended', async () => {
    // the proxy of the page is that which runs
    expect((await example('legacy', 'proxy')).trim()).toBe(command.join(' '))
    await recipe.put('settings.ini', await example('legacy', 'settings.ini'))
    const { stdout: token } = await recipe.run('jeton', ['token', 'orders'])
    const direct = {
      host: ORDERS.host,
      port: recipe.database.port,
      password: token.trim(),
      sslmode: 'require',
    }
    await recipe.put('direct.ini', iniOf({ ...direct, name: 'orders', user: 'migrator' }))
    await recipe.put('legacy-program', LEGACY_PROGRAM, 0o755)
    const programs = ['settings.ini', 'direct.ini'].map(settings => startProgram(recipe, settings))
    const askAll = () => Promise.all(programs.map(program => program.ask()))
    expect(await askAll()).toEqual(['migrator', 'migrator'])
    recipe.endTokensInUse()
    await recipe.waitForNewToken()
    const refusal = expect.stringContaining('FATAL:  LDAP authentication failed for user "migrator"')
    expect(await askAll()).toEqual(['migrator', refusal])
    await Promise.all(programs.map(program => program.end()))
    expect(proxy.log()).not.toContain('X-Amz-Signature')
  })

  /** Runs a sidecar as the kubelet does, until its startup probe succeeds, and then psql with the program's variables. */
  const runPod = async (name: string) => {
    const { initContainers, containers } = (await readDeployment(name)).spec.template.spec
    const [sidecar] = initContainers
    const port = await findFreePort()
    const inPod = (text: string) =>
      text
        .replaceAll('/run/jeton', join(recipe.folder, name))
        .replace(String(sidecar.ports[0].containerPort), String(port))
    const pod = await startDaemon(recipe, ['jeton', ...sidecar.args.map(inPod)].map(atPort))
    const probe = async ({ httpGet }: Probe) => {
      expect(httpGet.port).toBe(sidecar.ports[0].name)
      return (await fetch(`http://127.0.0.1:${port}${httpGet.path}`)).status
    }
    while ((await probe(sidecar.startupProbe)) !== 200) await pause(20)
    expect(await probe(sidecar.livenessProbe)).toBe(200)
    const variables = (containers[0].env ?? []).map(
      ({ name: variable, value }) => `${variable}=${inPod(value)}`,
    )
    const ran = await recipe.run('env', [...variables, 'psql', '-XAtc', 'select current_user'])
    return { ran, code: await pod.stop() }
  }

  test('the pod with the proxy logs a program in, and ends with 0', async () => {
    expect(await runPod('proxy.yaml')).toEqual({ ran: LOGGED_IN, code: 0 })
  })

  test('the pod with the agent has the files of a login, and ends with 0', async () => {
    expect(await runPod('agent.yaml')).toEqual({ ran: LOGGED_IN, code: 0 })
  })
})

/** Logs in by a URL, as Prisma does. */
const LOG_IN = `import pg from '${import.meta.resolve('pg')}'
const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
await client.connect()
console.log((await client.query('select current_user as name')).rows[0].name)
await client.end()
`

/** Reads a file once, and opens a connection with what stood in it for each line on stdin. */
const LEGACY_PROGRAM = `#!/usr/bin/python3
import configparser, sys
import psycopg2

settings = configparser.RawConfigParser()
settings.read(sys.argv[1])
database = settings["database"]

for line in sys.stdin:
    try:
        connection = psycopg2.connect(
            host=database["host"],
            port=database["port"],
            dbname=database["name"],
            user=database["user"],
            password=database["password"],
            sslmode=database["sslmode"],
        )
        cursor = connection.cursor()
        cursor.execute("select current_user")
        print(*cursor.fetchone(), flush=True)
    except psycopg2.Error as error:
        print(" ".join(str(error).splitlines()), flush=True)
`

const iniOf = (settings: Readonly<Record<string, string | number>>) =>
  ['[database]', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`), ''].join('\n')

function startProgram({ folder, env }: RecipeEnvironment, settings: string) {
  const child: ChildProcess = spawn(join(folder, 'legacy-program'), [settings], { cwd: folder, env })
  const lines = createInterface(child.stdout!)[Symbol.asyncIterator]()
  return {
    async ask() {
      child.stdin?.write('\n')
      return (await lines.next()).value as string
    },
    async end() {
      child.stdin?.end()
      if (child.exitCode === null) await once(child, 'close')
    },
  }
}
