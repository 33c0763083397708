import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { mintWithAws } from '../support/aws/mint-token.ts'
import { canRun, hasProgram } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { readDocsPage } from '../support/markdown.ts'
import { eventually } from '../support/proxy/eventually.ts'
import { giveKerberosTicket } from '../support/proxy/kerberos-ticket.ts'
import { libpqEnv, pgOptions } from '../support/proxy/libpq.ts'
import { type ProxyProcess, startProxy } from '../support/proxy/proxy-process.ts'
import { type ProxyService, SUBJECT, startProxyService } from '../support/proxy/proxy-service.ts'
import { run } from '../support/run.ts'
import type { JetonFront } from '../support/service/jeton-front.ts'

/** Clients as they are, without TLS, a user or a password, against a real PostgreSQL that wants all three. */
const canLogIn = await canRun(['postgres', 'psql', 'python-drivers'])
const hasJava = (await hasProgram('javac')) && (await canRun(['java-drivers']))
/** Else each dump has a key of its own in it. */
const PLAIN = '--restrict-key=same'
const support = (name: string) => fileURLToPath(new URL(`../support/proxy/${name}`, import.meta.url))

describe.runIf(canLogIn)('through jeton proxy', () => {
  let service: ProxyService
  let front: JetonFront
  let proxy: ProxyProcess
  let tcp: ProxyProcess
  /** Adds nothing of the caller to the sessions. */
  let unnamed: ProxyProcess

  beforeAll(async () => {
    service = await startProxyService({
      engine: 'postgres',
      databases: { orders: {}, reports: { user: 'app_ro' } },
    })
    front = await service.startFront()
    const parts = { front, apiKey: service.apiKey, env: { JETON_LOG_LEVEL: 'debug' } }
    ;[proxy, tcp, unnamed] = await Promise.all([
      startProxy({ ...parts, databases: ['orders', 'reports:5433'] }),
      startProxy({ ...parts, databases: ['orders'], args: ['--port', '0'] }),
      startProxy({ ...parts, databases: ['orders'], args: ['--no-application-name'] }),
      service.real.admin(
        'grant create on database orders to app_rw; grant create on schema public to app_rw; alter role app_rw createdb',
      ),
    ])
  })
  afterAll(async () => {
    await Promise.all([proxy, tcp, unnamed].map(started => started?.close()))
    await service?.close()
    vi.unstubAllEnvs()
  })

  const socket = () => libpqEnv(proxy.endpoint('orders'))
  const psql = (sql: string, options: { env?: Record<string, string>; input?: string } = {}) =>
    run('psql', ['-X', '-At', '-v', 'ON_ERROR_STOP=1', '-c', sql], {
      ...options,
      env: { ...socket(), ...options.env },
    })
  const connect = async (database = 'orders') => {
    const client = new pg.Client(pgOptions(proxy.endpoint(database)))
    await client.connect()
    return client
  }
  const isSleeping = (pid: unknown) =>
    eventually(
      () => service.real.admin(`select wait_event from pg_stat_activity where pid = ${pid}`),
      [{ wait_event: 'PgSleep' }],
    )

  describe.concurrent('a program', () => {
    test('logs in without TLS, as somebody else and without a password; the session has all three', async () => {
      const sql = 'select current_user, session_user, ssl from pg_stat_ssl where pid = pg_backend_pid()'
      expect(await psql(sql)).toEqual({ code: 0, stdout: 'app_rw|app_rw|t\n', stderr: '' })
      expect(await psql(sql, { env: libpqEnv(tcp.endpoint('orders')) })).toMatchObject({
        stdout: 'app_rw|app_rw|t\n',
      })
    })

    test('that has a password of its own logs in all the same', async () => {
      expect(await psql('select 1', { env: { PGPASSWORD: 'wrong' } })).toMatchObject({ code: 0 })
    })

    test('reaches another database of the same proxy by its own socket, as who may be there, and while that is in rds_iam', async () => {
      const env = libpqEnv(proxy.endpoint('reports'))
      expect(await psql('select current_user', { env })).toMatchObject({ stdout: 'app_ro\n' })
      await service.real.admin('revoke rds_iam from app_ro')
      expect((await psql('select 1', { env })).stderr).toMatch(
        /FATAL: {2}jeton proxy: the server asks for a SCRAM password and not for a token: /,
      )
    })

    test('that wants TLS gets on by a socket, where libpq asks for none', async () => {
      for (const PGSSLMODE of ['require', 'verify-full'])
        expect(await psql('select 1', { env: { PGSSLMODE } })).toMatchObject({ code: 0, stdout: '1\n' })
    })

    test('that wants TLS by a port is told so by libpq; the docs have its words, and what to do', async () => {
      const env = { ...libpqEnv(tcp.endpoint('orders')), PGSSLMODE: 'require' }
      const { code, stderr } = await psql('select 1', { env })
      const sentence = 'server does not support SSL, but SSL was required'
      expect(code).toBe(2)
      expect(stderr).toContain(sentence)
      const [, words, advised = ''] =
        /fail over `--port` \(`([^`]+)`\): set `sslmode=(\w+)` there/.exec(await readDocsPage('proxy')) ?? []
      expect(words).toBe(sentence)
      for (const PGSSLMODE of ['prefer', advised])
        expect(await psql('select 1', { env: { ...env, PGSSLMODE } })).toMatchObject({
          code: 0,
          stdout: '1\n',
        })
    })

    test('that has a Kerberos ticket asks for GSSAPI first, and gets on without', async () => {
      const env = {
        ...libpqEnv(tcp.endpoint('orders')),
        ...(await giveKerberosTicket(`${tcp.folder}/ticket`)),
      }
      const required = await psql('select 1', { env: { ...env, PGGSSENCMODE: 'require' } })
      expect(required.stderr).toContain("server doesn't support GSSAPI encryption, but it was required")
      expect(await psql('select 1', { env })).toMatchObject({ code: 0, stdout: '1\n' })
    })

    test('is told what the database says of a database that is not there', async () => {
      const { code, stderr } = await psql('select 1', { env: { PGDATABASE: 'nowhere' } })
      expect(code).toBe(2)
      expect(stderr).toMatch(/FATAL: {2}database "nowhere" does not exist$/m)
    })

    test('is listed under its own name, or else that of the caller, unless nothing is to be added', async () => {
      const nameOf = async (through: ProxyProcess, named: pg.ClientConfig = {}) => {
        const client = new pg.Client({ ...pgOptions(through.endpoint('orders')), ...named })
        await client.connect()
        const { rows } = await client.query(
          'select application_name as name from pg_stat_activity where pid = pg_backend_pid()',
        )
        await client.end()
        return rows[0].name
      }
      expect(await nameOf(proxy)).toBe(SUBJECT)
      expect(await nameOf(proxy, { application_name: 'payroll' })).toBe('payroll')
      expect(await nameOf(proxy, { options: '-c work_mem=7MB -c application_name=etl' })).toBe('etl')
      expect(await nameOf(proxy, { options: '-c search_path=application_name' })).toBe(SUBJECT)
      expect(await nameOf(unnamed)).toBe('')
      expect(await psql('show application_name')).toMatchObject({ stdout: 'psql\n' })
    })

    test('hears of what another says by NOTIFY', async () => {
      const [listener, other] = await Promise.all([connect(), connect()])
      await listener.query('listen orders')
      const heard = once(listener, 'notification')
      await other.query("select pg_notify('orders', 'paid')")
      expect(await heard).toMatchObject([{ channel: 'orders', payload: 'paid' }])
      await Promise.all([listener.end(), other.end()])
    })

    test('copies into the database and out of it', async () => {
      const input = Array.from({ length: 50_000 }, (_, i) => `${i}\t${'x'.repeat(i % 200)}\n`).join('')
      expect(await psql('create table copied (number int, text text)')).toMatchObject({ code: 0 })
      expect(await psql('copy copied from stdin', { input })).toMatchObject({ stdout: 'COPY 50000\n' })
      const { stdout } = await psql('copy (select * from copied order by number) to stdout')
      expect(stdout.length).toBe(input.length)
      expect(stdout === input).toBe(true)
    })

    test('of pg prepares statements', async () => {
      const client = await connect()
      const prepared = { name: 'add', text: 'select $1::int + 1 as sum' }
      expect((await client.query({ ...prepared, values: [1] })).rows).toEqual([{ sum: 2 }])
      expect((await client.query({ ...prepared, values: [2] })).rows).toEqual([{ sum: 3 }])
      expect((await client.query('select name from pg_prepared_statements')).rows).toEqual([{ name: 'add' }])
      await client.end()
    })

    test('of pg cancels a query', async () => {
      const client = await connect()
      const pid = (await client.query('select pg_backend_pid() as pid')).rows[0].pid
      const query = new pg.Query('select pg_sleep(60)')
      const failed = once(query as unknown as NodeJS.EventEmitter, 'error')
      client.query(query)
      await isSleeping(pid)
      const canceller = new pg.Client(pgOptions(proxy.endpoint('orders')))
      ;(canceller as unknown as { cancel(client: pg.Client, query: unknown): void }).cancel(client, query)
      expect(await failed).toMatchObject([{ code: '57014' }])
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await client.end()
    })

    test('psql cancels its query on Ctrl-C', async () => {
      const child = spawn('psql', ['-X', '-At', '-c', "select 'ctrl-c', pg_sleep(60)"], {
        env: { PATH: process.env.PATH, LC_ALL: 'C', ...socket() },
      })
      const [stderr, ended] = [text(child.stderr), once(child, 'close')]
      const active =
        "select count(*)::int from pg_stat_activity where query ~ '^select .ctrl-c' and wait_event = 'PgSleep'"
      await eventually(() => service.real.admin(active), [{ count: 1 }])
      child.kill('SIGINT')
      expect(await stderr).toBe('Cancel request sent\nERROR:  canceling statement due to user request\n')
      expect(await ended).toEqual([1, null])
    })

    test('of psycopg 3 logs in, prepares, cancels, copies and pipelines', async () => {
      const ran = await run('/usr/bin/python3', [support('proxy_client.py')], {
        env: { ...socket(), PYTHONDONTWRITEBYTECODE: '1' },
      })
      expect(ran).toEqual({
        code: 0,
        stdout: 'app_rw\n55 by 1 statement\n57014\n10000\n4950\n',
        stderr: '',
      })
    })

    test.runIf(hasJava)('of JDBC logs in, prepares and cancels', async () => {
      const { port } = tcp.endpoint('orders')
      const url = `jdbc:postgresql://127.0.0.1:${port}/orders?user=anybody`
      const args = ['-XX:TieredStopAtLevel=1', '-cp', '/usr/share/java/postgresql.jar']
      expect(await run('java', [...args, support('ProxyClient.java'), url])).toEqual({
        code: 0,
        stdout: 'app_rw\n55 by 1 statement\n57014\ngoes on\n',
        stderr: '',
      })
    })

    test('pgbench connects for each transaction', async () => {
      const file = `${proxy.folder}/count.sql`
      await writeFile(file, 'select count(*) from pg_class where relname = :client_id::text;\n')
      const args = ['--no-vacuum', '--connect', '--client=4', '--jobs=2', '--protocol=prepared']
      const ran = await run('pgbench', [...args, '--transactions=10', `--file=${file}`], { env: socket() })
      expect(ran.code).toBe(0)
      expect(ran.stdout).toContain('number of transactions actually processed: 40/40\n')
      expect(ran.stdout).toContain('number of failed transactions: 0 ')
    })

    test('pg_dump writes what it writes without the proxy, and pg_restore reads it', async () => {
      await psql(`create schema shop; create table shop.item (id int primary key, name text, data bytea);
        insert into shop.item select i, 'näme ' || i, decode(md5(i::text), 'hex') from generate_series(1, 5000) i`)
      const direct = {
        PGHOST: ORDERS.host,
        PGHOSTADDR: '127.0.0.1',
        PGPORT: String(service.real.port),
        PGUSER: 'app_rw',
        PGPASSWORD: await mintWithAws({ sts: service.sts, endpoint: ORDERS, user: 'app_rw' }),
        PGDATABASE: 'orders',
        PGSSLMODE: 'require',
      }
      const dump = (env: Record<string, string>, ...args: string[]) =>
        run('pg_dump', ['--schema=shop', ...args], { env })
      const [through, without] = await Promise.all([dump(socket(), PLAIN), dump(direct, PLAIN)])
      expect([through.stderr, without.stderr]).toEqual(['', ''])
      expect(through.stdout.length).toBeGreaterThan(200_000)
      expect(through.stdout === without.stdout).toBe(true)

      const file = `${proxy.folder}/shop.dump`
      expect(await dump(socket(), '--format=custom', `--file=${file}`)).toMatchObject({ code: 0 })
      expect(await psql('create database restored')).toMatchObject({ code: 0 })
      const restored = { ...socket(), PGDATABASE: 'restored' }
      const args = ['--dbname=restored', '--jobs=2', file]
      expect(await run('pg_restore', args, { env: socket() })).toEqual({ code: 0, stdout: '', stderr: '' })
      expect((await dump(restored, PLAIN)).stdout === through.stdout).toBe(true)
    })
  })

  test('all of that took one token of each proxy and database', () => {
    expect(front.requests.map(({ body, status }) => [body.database, status]).sort()).toEqual([
      ['orders', 200],
      ['orders', 200],
      ['orders', 200],
      ['reports', 200],
    ])
  })

  test('and nothing that a proxy prints at the level of debug has a secret in it', async () => {
    expect(front.tokens.size).toBeGreaterThan(0)
    for (const started of [proxy, tcp, unnamed]) {
      const written = [...started.stdout, ...started.stderr].join('\n')
      for (const token of front.tokens) expect(written).not.toContain(token.slice(-64))
      expect(written).not.toContain('X-Amz-')
      expect(written).not.toContain(service.apiKey)
    }
    expect(proxy.stderr.length).toBeGreaterThan(0)
    expect(await readFile(`/proc/${proxy.pid}/cmdline`, 'utf8')).not.toContain(service.apiKey)
  })
})
