import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ShiftedClock, shiftClock } from '../support/clock/shifted-clock.ts'
import { canRun } from '../support/databases/install.ts'
import { CLI } from '../support/service/jeton.ts'
import { type LoginService, startLoginService } from '../support/service/login-service.ts'

const LIFETIME_MS = 16 * 60_000
const WHO = { orders: 'select current_user', ledger: "select substring_index(current_user(), '@', 1)" }

/** In jeton's process, puts the clock forward as soon as a file is there. */
const SHIFT_MODULE = `const fs = require('node:fs')
const now = Date.now
Date.now = () => now() + (fs.existsSync(process.env.SHIFTED) ? ${LIFETIME_MS} : 0)`

const PG = `const pg = require('pg')
const ask = async (...args) => {
  const client = new pg.Client(...args)
  await client.connect()
  console.log((await client.query('${WHO.orders} as name')).rows[0].name)
  await client.end()
}
ask().then(() => ask(process.env.DATABASE_URL))`

const MYSQL = `const { MYSQL_UNIX_PORT: socketPath, MYSQL_USER: user, DATABASE_URL } = process.env
const sql = ${JSON.stringify(`${WHO.ledger} as name`)}
const mysql2 = async options => {
  const connection = await require('mysql2/promise').createConnection(options)
  console.log((await connection.query(sql))[0][0].name)
  await connection.end()
}
const mariadb = async options => {
  const connection = await require('mariadb').createConnection(options)
  console.log((await connection.query(sql))[0].name)
  await connection.end()
}
mysql2({ socketPath, user }).then(() => mysql2(DATABASE_URL)).then(() => mariadb({ socketPath, user }))`

const PYTHON = `import os, asyncio, asyncpg, psycopg, psycopg2, pymysql, sqlalchemy
url = os.environ["ORDERS_URL"]
for connect in (lambda: psycopg2.connect(""), lambda: psycopg2.connect(url), lambda: psycopg.connect(url)):
    cursor = connect().cursor(); cursor.execute("${WHO.orders}"); print(cursor.fetchone()[0])
print(sqlalchemy.create_engine(url).connect().scalar(sqlalchemy.text("${WHO.orders}")))
async def ask(*args): print(await (await asyncpg.connect(*args)).fetchval("${WHO.orders}"))
asyncio.run(ask()); asyncio.run(ask(url))
cursor = pymysql.connect(unix_socket=os.environ["MYSQL_UNIX_PORT"], user=os.environ["MYSQL_USER"]).cursor()
cursor.execute("${WHO.ledger}"); print(cursor.fetchone()[0])`

const JDBC = `class Who {
  public static void main(String[] args) throws Exception {
    for (int i = 0; i < args.length; i += 2)
      try (var c = java.sql.DriverManager.getConnection(System.getenv(args[i]));
          var rows = c.createStatement().executeQuery(args[i + 1])) {
        rows.next();
        System.out.println(rows.getString(1));
      }
  }
}`

const canLogIn = await canRun(['postgres', 'psql', 'mariadb', 'mariadb-client'])

describe.runIf(canLogIn)('a command under jeton exec --proxy', () => {
  let clock: ShiftedClock
  let service: LoginService
  /** TMPDIR of each run: whatever jeton left behind would be here. */
  let temp: string
  let running: ChildProcess[]

  beforeAll(async () => {
    clock = shiftClock()
    service = await startLoginService()
  })
  afterAll(async () => {
    await service?.close()
    clock.restore()
    vi.unstubAllEnvs()
  })
  beforeEach(async () => {
    temp = await mkdtemp(join(tmpdir(), 'exec-'))
    running = []
  })
  afterEach(async () => {
    for (const child of running) child.kill('SIGKILL')
    await rm(temp, { recursive: true })
  })

  function start(args: readonly string[], env: Record<string, string> = {}) {
    const child = spawn(process.execPath, [CLI, 'exec', ...args], {
      env: {
        PATH: process.env.PATH,
        HOME: temp,
        TMPDIR: temp,
        JETON_URL: service.url,
        JETON_API_KEY: service.apiKey,
        ...env,
      },
    })
    running.push(child)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', text => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', text => (stderr += text))
    const ended = once(child, 'close').then(([code, signal]) => ({ code: code ?? signal, stdout, stderr }))
    const printed = async (text: string) => {
      while (!stdout.includes(text)) await once(child.stdout, 'data')
    }
    return { child, ended, printed }
  }

  /** The inner exec has no credential but what its command line gives it. */
  function startWithBoth(options: readonly string[], script: string, env?: Record<string, string>) {
    const urlsOf = (name: string) => [
      '--url-as',
      `${name}_URL`,
      ...(options.includes('--proxy') ? [] : ['--url-as', `${name}_JDBC:jdbc`]),
    ]
    const inner = ['env', `JETON_API_KEY=${service.apiKey}`, process.execPath, CLI, 'exec']
    const command = ['sh', '-c', script]
    return start(
      [
        ...options,
        ...urlsOf('ORDERS'),
        'orders',
        '--',
        ...inner,
        ...options,
        ...urlsOf('LEDGER'),
        'ledger',
        '--',
        ...command,
      ],
      env,
    )
  }

  const proxied = (database: string, script: string, env?: Record<string, string>) =>
    start(['--proxy', database, '--', 'sh', '-c', script], env)
  const run = (database: string, script: string, env?: Record<string, string>) =>
    proxied(database, script, env).ended
  const foldersLeft = async () => (await readdir(temp)).filter(name => name.startsWith('jeton-'))
  const loginsOf = (database: 'orders' | 'ledger') =>
    (database === 'orders' ? service.postgres : service.mariadb).logins

  test('logs in to PostgreSQL with psql and pg, and prints nothing of jeton', async () => {
    const script = `psql -wAtc '${WHO.orders}' && psql -wAt "$DATABASE_URL" -c '${WHO.orders}' && node -e "$PG"`
    expect(await run('orders', script, { PG })).toEqual({ code: 0, stdout: 'app_rw\n'.repeat(4), stderr: '' })
    expect(await foldersLeft()).toEqual([])
  })

  test('logs in to MariaDB with its client, mysql2 and mariadb', async () => {
    const script = `mariadb -NBe "${WHO.ledger}" && mysql -NBe "${WHO.ledger}" && node -e "$MYSQL"`
    const { code, stdout, stderr } = await run('ledger', script, { MYSQL })
    expect([code, stdout]).toEqual([0, 'app_rw\n'.repeat(5)])
    expect(stderr).toMatch(/^(Ignoring invalid configuration option passed to Connection: socket\..*\n)?$/)
    expect(await foldersLeft()).toEqual([])
  })

  test('logs in to both databases with drivers of Python, one exec within the other', async ({ skip }) => {
    if (!(await canRun(['python-drivers']))) skip('DID NOT RUN: the drivers for Python are not installed')
    const { ended } = startWithBoth(['--proxy'], '/usr/bin/python3 -c "$SCRIPT"', { SCRIPT: PYTHON })
    expect(await ended).toEqual({ code: 0, stdout: 'app_rw\n'.repeat(7), stderr: '' })
  })

  test('logs in to both through ports of loopback: with psql, mariadb and JDBC', async ({ skip }) => {
    if (!(await canRun(['java-drivers']))) skip('DID NOT RUN: the drivers for Java are not installed')
    const program = join(temp, 'Who.java')
    await writeFile(program, JDBC)
    const jars =
      '/usr/share/java/postgresql.jar:/usr/share/java/mariadb-java-client.jar:/usr/share/java/slf4j-api.jar'
    const { ended } = startWithBoth(
      ['--proxy-port', '0'],
      `psql -wAt "$ORDERS_URL" -c '${WHO.orders}' && psql -wAtc '${WHO.orders}' && mariadb -NBe "${WHO.ledger}" &&
      java -XX:TieredStopAtLevel=1 -cp ${jars} ${program} ORDERS_JDBC "${WHO.orders}" LEDGER_JDBC "${WHO.ledger}"`,
    )
    expect(await ended).toEqual({ code: 0, stdout: 'app_rw\n'.repeat(5), stderr: '' })
  })

  test.each(['orders', 'ledger'] as const)(
    'sees no secret: neither in its environment nor in any file of the folder (%s)',
    async database => {
      const { stdout } = await run(database, 'env; ls -alR $TMPDIR/jeton-*; cat $TMPDIR/jeton-*/*/*')
      for (const secret of [service.apiKey, 'X-Amz', 'JETON_API_KEY']) expect(stdout).not.toContain(secret)
      expect(stdout).toMatch(/^(PGPASSWORD|MYSQL_PWD)=none-needed$/m)
      expect(stdout).toMatch(/^srw------- .* (\.s\.PGSQL\.5432|mysql\.3306\.sock)$/m)
      expect(stdout).toMatch(/^drwx------ .* \.$/m)
    },
  )

  describe.each([
    ['orders', `psql -wAtc '${WHO.orders}'`],
    ['ledger', `mariadb -NBe "${WHO.ledger}"`],
  ] as const)('opens a connection to %s after its first token has ended', (database, ask) => {
    test.each([
      ['by jeton’s own clock', true, undefined],
      ['because the database says so', false, expect.any(String)],
    ])('%s', async (_how, isShifted, refused) => {
      const [logins, requests] = [loginsOf(database).length, service.requests.length]
      const env = { SHIFTED: join(temp, 'shifted'), NODE_OPTIONS: `--require ${join(temp, 'shift.cjs')}` }
      await writeFile(join(temp, 'shift.cjs'), SHIFT_MODULE)
      const { child, ended, printed } = proxied(database, `${ask}; read line; ${ask}`, env)
      await printed('app_rw\n')
      clock.advance(LIFETIME_MS)
      if (isShifted) await writeFile(env.SHIFTED, '')
      child.stdin.end('\n')
      const stderr = isShifted ? '' : expect.stringMatching(/^[^\n]*proxy_token_refused[^\n]*\n$/)
      expect(await ended).toEqual({ code: 0, stdout: 'app_rw\napp_rw\n', stderr })
      const results = loginsOf(database)
        .slice(logins)
        .map(({ result }) => result.ok)
      expect(results).toEqual(isShifted ? [true, true] : [true, false, true])
      const asked = service.requests
        .slice(requests)
        .flatMap(({ body }) => ('caPem' in body ? [body.refused] : []))
      expect(asked).toEqual([undefined, refused])
    })
  })

  test('serves a command that logs in once more while it shuts down, and passes on its exit code', async () => {
    const script = `trap "psql -wAtc '${WHO.orders}'; exit 7" TERM; echo ready; while :; do read line; done`
    const { child, ended, printed } = proxied('orders', script)
    await printed('ready')
    child.kill('SIGTERM')
    expect(await ended).toEqual({ code: 7, stdout: 'ready\napp_rw\n', stderr: '' })
    expect(await foldersLeft()).toEqual([])
  })

  test('is ended by a signal that it does not handle, and so is jeton', async () => {
    const { child, ended, printed } = proxied('orders', 'echo ready; exec sleep 60')
    await printed('ready')
    child.kill('SIGHUP')
    expect(await ended).toEqual({ code: 'SIGHUP', stdout: 'ready\n', stderr: '' })
    expect(await foldersLeft()).toEqual([])
  })

  test('takes its connections with it when it ends', async () => {
    const sleeper = "psql -wAtc 'select pg_sleep(60)' >/dev/null 2>&1 &"
    const running = 'select 1 from pg_stat_activity where wait_event = $$PgSleep$$'
    const wait = `until [ "$(psql -wAtc '${running}')" = 1 ]; do :; done`
    expect(await run('orders', `${sleeper} ${wait}; exit 3`)).toMatchObject({ code: 3 })
    expect(
      await service.postgres.admin(
        "select pid from pg_stat_activity where usename = 'app_rw' and wait_event is distinct from 'PgSleep'",
      ),
    ).toEqual([])
    expect(await foldersLeft()).toEqual([])
  })

  test('leaves no folder behind if it cannot be started', async () => {
    expect(await start(['--proxy', 'orders', '--', 'no-such-command-here']).ended).toMatchObject({
      code: 127,
    })
    expect(await foldersLeft()).toEqual([])
  })

  test('is not started if jeton is refused', async () => {
    const { code, stdout, stderr } = await run('payroll', 'echo ran')
    expect([code, stdout]).toEqual([125, ''])
    expect(stderr).toMatch(/^jeton: .*access_denied/)
    expect(await foldersLeft()).toEqual([])
  })

  test('goes on without jeton if that is killed, and the next one has a socket of its own', async () => {
    const { child, ended, printed } = proxied(
      'orders',
      'echo $$; read line; psql -wAtc "select 1" || echo alone',
    )
    await printed('\n')
    child.kill('SIGKILL')
    await once(child, 'exit')
    child.stdin.end('\n')
    expect(await ended).toMatchObject({ code: 'SIGKILL', stdout: expect.stringContaining('alone\n') })
    expect(await foldersLeft()).toHaveLength(1)
    expect(await run('orders', `psql -wAtc '${WHO.orders}'`)).toMatchObject({ code: 0, stdout: 'app_rw\n' })
    expect(await foldersLeft()).toHaveLength(1)
  })
})
