import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { canRun } from '../support/databases/install.ts'
import { eventually } from '../support/proxy/eventually.ts'
import { logInWithPsql } from '../support/proxy/libpq.ts'
import { ONE_FILE, type ProxyOptions, type ProxyProcess, startProxy } from '../support/proxy/proxy-process.ts'
import { type ProxyService, startProxyService } from '../support/proxy/proxy-service.ts'
import {
  connectRaw,
  GOODBYE,
  queryOf,
  type RawClient,
  startupOf,
  valuesOf,
} from '../support/proxy/raw-postgres.ts'
import { runCli } from '../support/service/jeton.ts'
import type { JetonFront } from '../support/service/jeton-front.ts'

const isRoot = process.getuid?.() === 0

/** How a proxy starts, where it listens, and how it ends. */
describe.runIf(await canRun(['postgres', 'psql']))('jeton proxy', () => {
  let service: ProxyService
  let front: JetonFront
  /** Where each test makes folders of its own. */
  let root: string
  const started: ProxyProcess[] = []

  beforeAll(async () => {
    service = await startProxyService({
      engine: 'postgres',
      databases: { orders: {}, reports: {}, secret: { isGranted: false } },
    })
    front = await service.startFront()
    root = await mkdtemp(join(tmpdir(), 'own-'))
  })
  afterAll(async () => {
    await Promise.all(started.map(proxy => proxy.close()))
    await service?.close()
    await rm(root, { recursive: true, force: true })
    vi.unstubAllEnvs()
  })

  const makeFolder = () => mkdtemp(join(root, 'of-'))
  async function start(options: Partial<ProxyOptions> = {}): Promise<ProxyProcess> {
    const proxy = await startProxy({ front, apiKey: service.apiKey, databases: ['orders'], ...options })
    started.push(proxy)
    return proxy
  }
  /** Starts one that ends by itself. */
  const fail = async (args: readonly string[], env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await runCli(['proxy', ...args], {
      cli: ONE_FILE,
      env: { JETON_URL: front.url, JETON_API_KEY: service.apiKey, JETON_LOG_FORMAT: 'text', ...env },
    })
    expect(stdout).toBe('')
    return { code, stderr }
  }
  const logIn = async (proxy: ProxyProcess): Promise<RawClient> => {
    const client = await connectRaw(proxy.endpoint('orders'))
    client.send(startupOf())
    await client.takeUntil('Z')
    return client
  }
  const ask = async (client: RawClient, sql: string) => {
    client.send(queryOf(sql))
    return valuesOf(await client.takeUntil('Z'))
  }
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o7777).toString(8)

  describe.concurrent('listens', () => {
    test('at a socket of its user alone, in a folder of its user alone, whatever the umask', async () => {
      const folder = join(await makeFolder(), 'made')
      const proxy = await start({
        folder,
        env: { NODE_OPTIONS: '--import=data:text/javascript,process.umask(0)' },
      })
      const { socket = '' } = proxy.endpoint('orders')
      expect(socket).toBe(`${folder}/.s.PGSQL.5432`)
      expect([await modeOf(folder), await modeOf(socket)]).toEqual(['700', '600'])
      expect(proxy.stdout.map(line => JSON.parse(line))).toEqual([
        { msg: 'listening', database: 'orders', socket },
      ])
      expect(await logInWithPsql(proxy.endpoint('orders'))).toBe('app_rw')
    })

    test('in the folder of the session, unless one is given', async () => {
      const folder = await makeFolder()
      const proxy = await start({
        databases: ['orders', 'reports'],
        isDefaultFolder: true,
        env: { XDG_RUNTIME_DIR: folder },
      })
      const { socket = '' } = proxy.endpoint('orders')
      expect(socket).toBe(`${folder}/jeton/orders/.s.PGSQL.5432`)
      expect(proxy.endpoint('reports').socket).toBe(`${folder}/jeton/reports/.s.PGSQL.5432`)
      expect([await modeOf(dirname(dirname(socket))), await modeOf(dirname(socket))]).toEqual(['700', '700'])
      expect(await logInWithPsql(proxy.endpoint('reports'))).toBe('app_rw')
    })

    test('at ports of loopback alone, with a warning that every local user may log in', async () => {
      const proxy = await start({ databases: ['orders', 'reports'], args: ['--port', '0'] })
      const [orders, reports] = [proxy.endpoint('orders'), proxy.endpoint('reports')]
      expect(orders.port).not.toBe(reports.port)
      expect(await logInWithPsql(orders)).toBe('app_rw')
      expect(await logInWithPsql(reports)).toBe('app_rw')
      const warning = JSON.parse(await proxy.logged('proxy_open_to_users'))
      expect(warning).toMatchObject({ level: 'warn', ports: [orders.port, reports.port] })
      await expect(connectRaw({ port: orders.port ?? 0 }, '127.0.0.2')).rejects.toMatchObject({
        code: 'ECONNREFUSED',
      })
    })

    test('again where one was killed, and not where one answers', async () => {
      const folder = await makeFolder()
      const killed = await start({ folder })
      killed.process.kill('SIGKILL')
      await killed.ended
      expect(await readdir(folder)).toEqual(['.s.PGSQL.5432'])

      const proxy = await start({ folder })
      expect(await fail(['orders', '--socket-dir', folder])).toEqual({
        code: 1,
        stderr: expect.stringContaining(`listens at ${folder}/.s.PGSQL.5432`),
      })
      expect(await logInWithPsql(proxy.endpoint('orders'))).toBe('app_rw')
    })
  })

  test('waits for jeton when it starts', async () => {
    const own = await service.startFront()
    own.answer = 'cut'
    const starting = start({ front: own })
    await eventually(() => own.requests.length > 0, true)
    own.answer = 'jeton'
    expect(await logInWithPsql((await starting).endpoint('orders'))).toBe('app_rw')
  })

  describe.concurrent('does not start', () => {
    test.each(['720', '1777'])('in a folder of mode %s', async mode => {
      const folder = await makeFolder()
      await chmod(folder, Number.parseInt(mode, 8))
      expect(await fail(['orders', '--socket-dir', folder])).toEqual({
        code: 1,
        stderr: expect.stringMatching(/no folder for sockets: .*: give --socket-dir a folder of yours/),
      })
      expect(await readdir(folder)).toEqual([])
    })

    test.runIf(isRoot)('in the folder of somebody else, nor in what leads there', async () => {
      const folder = await makeFolder()
      const foreign = join(folder, 'foreign')
      await mkdir(foreign, { mode: 0o700 })
      await chown(foreign, 65_534, 65_534)
      const link = join(folder, 'link')
      await symlink(foreign, link)
      for (const path of [foreign, link])
        expect(await fail(['orders', '--socket-dir', path])).toEqual({
          code: 1,
          stderr: expect.stringContaining('no folder for sockets: '),
        })
      expect(await readdir(foreign)).toEqual([])
    })

    test('where a file is that is no socket, which stays', async () => {
      const folder = await makeFolder()
      await writeFile(join(folder, '.s.PGSQL.5432'), 'mine')
      expect(await fail(['orders', '--socket-dir', folder])).toEqual({
        code: 1,
        stderr: expect.stringContaining('is no socket: remove it, or give --socket-dir'),
      })
      expect((await stat(join(folder, '.s.PGSQL.5432'))).size).toBe(4)
    })

    test('at a path that is too long for a socket', async () => {
      const folder = join(await makeFolder(), 'x'.repeat(100))
      expect(await fail(['orders', '--socket-dir', folder])).toEqual({
        code: 1,
        stderr: expect.stringMatching(
          /bytes long, and a socket.s path may have \d+: give --socket-dir a shorter one/,
        ),
      })
    })

    test('with two databases at one path', async () => {
      expect(await fail(['orders', 'reports', '--socket-dir', await makeFolder()])).toEqual({
        code: 2,
        stderr: expect.stringMatching(/orders and reports would both be at .* as in reports:5433/),
      })
    })

    test('at a port that is taken', async () => {
      const server = createServer()
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const { port } = server.address() as AddressInfo
      expect(await fail(['orders', '--port', String(port)])).toEqual({
        code: 1,
        stderr: expect.stringContaining(`another program listens at 127.0.0.1:${port}`),
      })
      server.close()
    })

    test('for a caller whom jeton refuses', async () => {
      expect(await fail(['secret', '--socket-dir', await makeFolder()])).toEqual({
        code: 3,
        stderr: expect.stringContaining('access_denied'),
      })
    })

    test('for a caller whom jeton does not know', async () => {
      const folder = await makeFolder()
      expect(
        await fail(['orders', '--socket-dir', folder], { JETON_API_KEY: 'nobody.nothing' }),
      ).toMatchObject({
        code: 3,
      })
    })

    test('without an answer of jeton', async () => {
      const folder = await makeFolder()
      const env = { JETON_URL: 'http://127.0.0.1:1' }
      expect(await fail(['orders', '--wait', '0', '--socket-dir', folder], env)).toEqual({
        code: 1,
        stderr: expect.stringContaining('ECONNREFUSED'),
      })
    })
  })

  describe.concurrent('ends', () => {
    test.each(['SIGTERM', 'SIGINT'] as const)(
      'at once by %s when nobody is connected, and takes its socket along',
      async signal => {
        const folder = await makeFolder()
        const proxy = await start({ folder })
        proxy.process.kill(signal)
        expect(await proxy.ended).toBe(0)
        expect(await readdir(folder)).toEqual([])
      },
    )

    test('when its last session has, and lets nobody in meanwhile', async () => {
      const folder = await makeFolder()
      const proxy = await start({ folder })
      const client = await logIn(proxy)
      const listened = proxy.endpoint('orders')
      proxy.process.kill('SIGTERM')
      await eventually(() => readdir(folder), [])
      await expect(connectRaw(listened)).rejects.toMatchObject({ code: 'ENOENT' })
      expect(await ask(client, 'select 1')).toEqual(['1'])
      client.send(GOODBYE)
      expect(await proxy.ended).toBe(0)
    })

    test('its sessions after --drain', async () => {
      const proxy = await start({ databases: ['orders'], args: ['--drain', '0'] })
      const client = await logIn(proxy)
      proxy.process.kill('SIGTERM')
      await client.takeRest()
      expect(await proxy.ended).toBe(0)
    })

    test('its sessions at a second signal, and theirs at the database', async () => {
      const folder = await makeFolder()
      const proxy = await start({ folder })
      const client = await logIn(proxy)
      const [pid] = await ask(client, 'select pg_backend_pid()')
      proxy.process.kill('SIGTERM')
      await eventually(() => readdir(folder), [])
      proxy.process.kill('SIGTERM')
      await client.takeRest()
      expect(await proxy.ended).toBe(0)
      await eventually(() => service.real.admin(`select pid from pg_stat_activity where pid = ${pid}`), [])
    })
  })

  test('says to whoever watches it that it lives, that it is ready, and what it did', async () => {
    const proxy = await start({ databases: ['orders'], args: ['--health', '0'] })
    const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(await proxy.logged('http://127.0.0.1')) ?? []
    const get = async (path: string) => {
      const response = await fetch(`${url}${path}`)
      return { status: response.status, text: await response.text() }
    }
    expect(await get('/healthz')).toEqual({ status: 200, text: '{"status":"ok"}\n' })
    expect(await get('/readyz')).toEqual({ status: 200, text: '{"status":"ready"}\n' })
    const client = await logIn(proxy)
    const { text } = await get('/metrics')
    expect(text).toMatch(/^jeton_proxy_\w+\{database="orders"[^}]*\} 1$/m)
    for (const token of front.tokens) expect(text).not.toContain(token.slice(-64))
    client.socket.destroy()
  })
})
