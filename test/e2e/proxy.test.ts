import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { startIdleServer } from '../bench/idle-server.ts'
import {
  type ApiStub,
  problem,
  RDS_HOST,
  sampleReply,
  someJwt,
  startApiStub,
} from '../support/service/api-stub.ts'
import { CLI } from '../support/service/jeton.ts'
import { startProgram } from '../support/service/started-program.ts'

const authority = createAuthority()
const JWT = someJwt()
const WHOAMI = {
  body: { principal: { issuer: 'https://ci', subject: 'repo:acme/shop', claims: {} }, databases: [] },
}
let server: Awaited<ReturnType<typeof startIdleServer>>
let api: ApiStub
let folder: string
const running: ChildProcess[] = []
const clients: Socket[] = []

beforeAll(async () => {
  server = await startIdleServer(authority.issue([RDS_HOST]))
})
afterAll(() => server.close())
beforeEach(async () => {
  api = await startApiStub()
  api.answers = [({ path }) => (path === '/v1/whoami' ? WHOAMI : { body: reply() })]
  folder = await mkdtemp(join(tmpdir(), 'proxy-'))
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  for (const child of running.splice(0)) child.kill('SIGKILL')
  await api.close()
  await rm(folder, { recursive: true })
})

const reply = () =>
  sampleReply({ connect: `127.0.0.1:${server.port}`, ca: { pem: authority.caPem }, expiresIn: 893 })

function start(...args: string[]) {
  const proxy = startProgram([process.execPath, CLI, 'proxy', ...args], {
    env: { JETON_URL: api.url, JETON_JWT: JWT, XDG_RUNTIME_DIR: folder },
    lastSignal: 'KILL',
  })
  running.push(proxy.process)
  const { stdout, stderr, until } = proxy
  const linesIn = (text: readonly string[]) =>
    text.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Record<string, unknown>)
  return {
    child: proxy.process,
    async lines(count: number) {
      await until(() => stdout[count - 1])
      return linesIn(stdout)
    },
    events: () => linesIn(stderr),
    logged: (event: string) => until(() => linesIn(stderr).find(line => line.event === event)),
    async ended() {
      return { exitCode: await proxy.ended, stdout: stdout.join('\n'), stderr: stderr.join('\n') }
    },
  }
}

/** Logs in at a socket or a port, and resolves with what the client was sent. */
async function logIn(place: string | number): Promise<Socket> {
  const startup = Buffer.from('\0\0\0\0\0\x03\0\0user\0a\0\0')
  startup.writeInt32BE(startup.length)
  const client = typeof place === 'number' ? connect(place, '127.0.0.1') : connect(place)
  clients.push(client.on('error', () => {}))
  client.write(startup)
  await once(client, 'data')
  return client
}

test('accepts clients until SIGTERM, and lets them end', async () => {
  const proxy = start('orders', '--health', '0')
  const socket = join(folder, 'jeton', 'orders', '.s.PGSQL.5432')
  expect(await proxy.lines(1)).toEqual([{ msg: 'listening', database: 'orders', socket }])
  expect((await stat(socket)).mode & 0o777).toBe(0o600)
  const client = await logIn(socket)
  const started = await proxy.logged('proxy_started')
  const [received] = proxy.events()
  expect(received).toMatchObject({ level: 'info', event: 'proxy_token_received', database: 'orders' })
  expect(started).toMatchObject({ event: 'proxy_started', databases: ['orders'] })
  expect(await (await fetch(`${started.health}/readyz`)).json()).toEqual({ status: 'ready' })
  expect(await (await fetch(`${started.health}/metrics`)).text()).toContain(
    'jeton_proxy_sessions{database="orders"} 1\n',
  )
  proxy.child.kill('SIGTERM')
  await expect.poll(() => readdir(join(folder, 'jeton', 'orders'))).toEqual([])
  expect(proxy.child.exitCode).toBe(null)
  client.end()
  const { exitCode, stdout, stderr } = await proxy.ended()
  expect(exitCode).toBe(0)
  expect(proxy.events().map(({ event }) => event)).toEqual([
    'proxy_token_received',
    'proxy_started',
    'proxy_stopping',
    'proxy_stopped',
  ])
  for (const secret of [JWT, 'X-Amz-Signature']) expect(stdout + stderr).not.toContain(secret)
})

test('a second signal ends sessions at once', async () => {
  const proxy = start('orders', '--socket-dir', folder)
  await proxy.lines(1)
  const client = await logIn(join(folder, '.s.PGSQL.5432'))
  proxy.child.kill('SIGINT')
  await proxy.logged('proxy_stopping')
  const closed = once(client.resume(), 'close')
  proxy.child.kill('SIGTERM')
  expect((await proxy.ended()).exitCode).toBe(0)
  await closed
})

test('ports of loopback are open to all users, and the log says so', async () => {
  const proxy = start('orders', 'ledger', '--port', '0', '--drain', '0')
  const lines = await proxy.lines(2)
  expect(lines).toEqual([
    { msg: 'listening', database: 'orders', port: expect.any(Number) },
    { msg: 'listening', database: 'ledger', port: expect.any(Number) },
  ])
  const ports = lines.map(({ port }) => Number(port))
  expect(await proxy.logged('proxy_open_to_users')).toMatchObject({
    level: 'warn',
    ports,
  })
  for (const port of ports) await logIn(port)
  proxy.child.kill('SIGTERM')
  expect((await proxy.ended()).exitCode).toBe(0)
})

test.each([
  [['orders', '--port', '5432', '--socket-dir', '/tmp'], '--port is for loopback, --socket-dir for Unix'],
  [['../orders'], 'jeton proxy takes names of databases, with a port if need be'],
  [
    ['orders', '--', 'psql', '-c', 'x'],
    'jeton proxy runs no command: jeton exec --proxy DATABASE -- COMMAND …',
  ],
  [['orders', '--health', 'x'], '--health takes a port, or ADDRESS:PORT'],
  [['orders', '--max-connections', '0'], '--max-connections takes a number from 1 to 100000'],
  [['orders', '--drain', 'soon'], '--drain takes a number of seconds'],
  [['orders', '--ca', '/nowhere.pem'], '--ca: /nowhere.pem cannot be read (ENOENT)'],
  [['orders', 'orders:5432', '--socket-dir', '/FOLDER'], 'orders and orders would both be at'],
])('%j is a usage error', async (args, why) => {
  const { exitCode, stdout, stderr } = await start(...args.map(arg => arg.replace('/FOLDER', folder))).ended()
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr).toContain(`jeton: ${why}`)
})

test('a refusal at the start is the exit code of jeton token', async () => {
  api.answers = [problem(403, 'access_denied')]
  const { exitCode, stdout, stderr } = await start('orders', 'ledger').ended()
  expect([exitCode, stdout]).toEqual([3, ''])
  // once, and which of them
  expect(stderr).toMatch(/^jeton: (?:orders|ledger): why: access_denied[^\n]*$/)
})

test('what is waited for at the start is in the log', async () => {
  api.answers = [problem(503, 'temporarily_unavailable'), { body: reply() }]
  const proxy = start('orders', '--socket-dir', folder)
  expect(await proxy.logged('proxy_waiting')).toMatchObject({ level: 'info' })
  await proxy.lines(1)
})
