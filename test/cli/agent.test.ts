import { EventEmitter } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentCommand } from '../../src/cli/agent.ts'
import type { AgentArguments } from '../../src/cli/agent-arguments.ts'
import type { SignalHost } from '../../src/client/child-process.ts'
import { systemClock } from '../../src/lib/clock.ts'
import {
  type ApiStub,
  PEM,
  problem,
  RDS_HOST,
  type StubRequest,
  sampleReply,
  someJwt,
  startApiStub,
} from '../support/service/api-stub.ts'
import { recordStreams } from './record-streams.ts'

const LEDGER_HOST = RDS_HOST.replace('orders', 'ledger')
const OTHER_PEM = PEM.replace('MIIB', 'MIIC')
const BUNDLE = `# RDS's CA certificates; jeton agent replaces this file\n${PEM}`

let api: ApiStub
let folder: string
const at = (name: string) => join(folder, name)
const read = (name: string) => readFile(at(name), 'utf8')

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-'))
  api = await startApiStub()
  api.answers = [answer]
})
afterEach(async () => {
  await api.close()
  await rm(folder, { recursive: true })
})

/** `orders` is PostgreSQL, `ledger` MariaDB with another CA; nobody may have `secrets`. */
function answer({ body }: StubRequest) {
  const { database, user = 'app_ro' } = JSON.parse(body) as { database: string; user?: string }
  if (database === 'secrets') return problem(403, 'access_denied')
  const expiresAt = new Date(Date.now() + 893_000).toISOString()
  const reply = { ...sampleReply({ database, user, expiresAt }), dbname: database }
  if (database !== 'ledger') return { body: reply }
  return { body: { ...reply, engine: 'mariadb', host: LEDGER_HOST, port: 3306, ca: { pem: OTHER_PEM } } }
}

/** Runs the command once, unless it is told otherwise, in the test's folder. */
async function run(args: Partial<AgentArguments>, env: Record<string, string> = {}, isTTY = false) {
  const { streams, written } = recordStreams()
  let log = ''
  host = Object.assign(new EventEmitter(), { pid: process.pid, stdin: {}, kill: () => true })
  const exitCode = await agentCommand(
    { databases: ['orders'], once: true, ...args },
    {
      ...streams,
      stderr: { ...streams.stderr, isTTY },
      env: { PATH: process.env.PATH, JETON_URL: api.url, JETON_JWT: jwt, ...env },
      lookup: async address => ({ address }),
      clock: systemClock(),
      host,
      stream: {
        write(line) {
          log += line
        },
      },
    },
  )
  expect(host.eventNames()).toEqual([])
  for (const text of [written.stdout, written.stderr, log]) {
    expect(text).not.toContain('X-Amz-Signature')
    expect(text).not.toContain(jwt)
  }
  return { exitCode, ...written, log }
}
let host: SignalHost & EventEmitter
const jwt = someJwt()
const READY = { exitCode: 0, stdout: '{"msg":"ready"}\n', stderr: '' }

test('writes every kind of file, each with what its readers can use, and then says that it is ready', async () => {
  const files = {
    pgpass: 'pgpass',
    service: 'service',
    mycnf: 'my.cnf',
    json: 'json',
    userlist: 'users',
    ca: 'ca',
  }
  const paths = Object.fromEntries(Object.entries(files).map(([kind, name]) => [kind, at(`new/${name}`)]))
  expect(await run({ databases: ['orders', 'ledger'], ...paths })).toMatchObject(READY)
  const text = (name: string) => read(`new/${name}`)

  expect(await text('pgpass')).toMatch(
    new RegExp(
      `^# jeton agent: begin orders until \\S+Z\n${RDS_HOST}:5432:\\*:app_ro:.*\n# jeton agent: end orders\n$`,
    ),
  )
  expect(await text('service')).toContain(`[orders]\nhost=${RDS_HOST}\n`)
  expect(await text('service')).toContain(`sslrootcert=${at('new/ca')}\n`)
  expect(await text('service')).not.toMatch(/ledger|X-Amz/)
  expect(await text('my.cnf')).toContain(`host="${LEDGER_HOST}"\n`)
  expect(await text('my.cnf')).toContain(`ssl-ca="${at('new/ca')}"\n`)
  expect(await text('my.cnf')).not.toContain('begin orders')
  expect(await text('users')).toMatch(
    /^; jeton agent: begin orders until .*\n"app_ro" "orders\..*"\n; .* end orders\n$/,
  )
  expect(JSON.parse(await text('json'))).toMatchObject({
    orders: { host: RDS_HOST, token: expect.stringContaining('X-Amz-Signature') },
    ledger: { host: LEDGER_HOST, engine: 'mariadb' },
  })
  expect(await text('ca')).toBe(BUNDLE + OTHER_PEM)
  const names = await readdir(at('new'))
  expect(names.sort()).toEqual(Object.values(files).sort())
  for (const name of names) expect((await stat(at(`new/${name}`))).mode & 0o777).toBe(0o600)
})

test('one login in JSON is what `jeton token -o json` prints', async () => {
  await run({ json: at('json') })
  const reply = JSON.parse(await read('json'))
  expect(reply).toMatchObject({ database: 'orders', host: RDS_HOST, ca: { pem: PEM } })
  expect(await read('json')).toBe(`${JSON.stringify(reply, undefined, 2)}\n`)
})

test('without --ca, the bundle of each database lies beside each file that refers to it', async () => {
  await run({
    databases: ['orders', 'ledger'],
    service: at('service'),
    mycnf: at('my.cnf'),
    pgpass: at('pgpass'),
  })
  expect((await readdir(folder)).sort()).toEqual(
    ['my.cnf', 'my.cnf.ledger.ca.pem', 'pgpass', 'service', 'service.orders.ca.pem'].sort(),
  )
  expect(await read('service')).toContain(`sslrootcert=${at('service.orders.ca.pem')}\n`)
  expect(await read('my.cnf.ledger.ca.pem')).toBe(BUNDLE.replace('MIIB', 'MIIC'))
})

test('{database} in a path gives each login a file of its own', async () => {
  const databases = ['orders', 'ledger']
  expect(await run({ databases, dotenv: at('{database}.env'), json: at('{database}.json') })).toMatchObject(
    READY,
  )
  expect(await read('orders.env')).toContain(`PGHOST='${RDS_HOST}'\n`)
  expect(await read('ledger.env')).toContain(`MYSQL_HOST='${LEDGER_HOST}'\n`)
  expect(JSON.parse(await read('ledger.json'))).toMatchObject({ database: 'ledger' })
})

test('one database for several users', async () => {
  const databases = ['orders:migrator', 'orders:app_ro', 'stock']
  await run({ databases, user: 'reader', pgpass: at('pgpass'), service: at('service'), json: at('json') })
  const asked = api.requests.map(({ body }) => JSON.parse(body)).map(({ database, user }) => [database, user])
  expect(asked.sort()).toEqual([
    ['orders', 'app_ro'],
    ['orders', 'migrator'],
    ['stock', 'reader'],
  ])
  expect(await read('service')).toMatch(
    /\[orders:migrator\][^[]*user=migrator\n[^[]*\[orders:app_ro\][^[]*\[stock\]/,
  )
  expect(Object.keys(JSON.parse(await read('json')))).toEqual(['orders:migrator', 'orders:app_ro', 'stock'])
  expect((await read('pgpass')).match(/^# jeton agent: begin \S+/gm)).toHaveLength(3)
})

describe('others are told', () => {
  test('when files have changed, without the caller’s credentials', async () => {
    const onChange = `{ echo run; env | grep -e ^JETON_ -e "$SECRET_COPY"; } >> '${at('out')}'; true`
    expect(await run({ pgpass: at('pgpass'), onChange }, { SECRET_COPY: jwt })).toMatchObject(READY)
    expect(await read('out')).toContain('run\n')
    expect(await read('out')).not.toContain(jwt)
  })

  test('not when nothing has', async () => {
    const onChange = `echo run >> '${at('out')}'`
    await run({ service: at('service'), onChange })
    await run({ service: at('service'), onChange })
    expect(await read('out')).toBe('run\n')
  })

  test('and if that fails, the exit code says it', async () => {
    const { exitCode, stderr, log } = await run({ pgpass: at('pgpass'), onChange: 'exit 9' })
    expect([exitCode, stderr]).toEqual([1, 'jeton: the files are written, and nobody was told\n'])
    expect(log).toContain('its exit code is 9')
    expect(await read('pgpass')).toContain('end orders')
  })
})

test('a terminal that is closed ends it', async () => {
  const ended = run({ pgpass: at('pgpass'), once: false }, {}, true)
  host.emit('SIGHUP')
  expect(await ended).toMatchObject({ exitCode: 0, stdout: '' })
})

describe('a login that is refused', () => {
  test('is said with its exit code, and the others are written', async () => {
    const { exitCode, stdout, stderr } = await run({ databases: ['secrets', 'orders'], pgpass: at('pgpass') })
    expect([exitCode, stdout]).toEqual([3, ''])
    expect(stderr).toContain('jeton: why: access_denied (access_denied, request id req-1)')
    expect(await read('pgpass')).toContain('end orders')
  })

  test('leaves a JSON of several as it is', async () => {
    await writeFile(at('json'), '{"old":1}')
    await run({ databases: ['secrets', 'orders'], json: at('json') })
    expect(await read('json')).toBe('{"old":1}')
  })

  test('as temporary as a server that has too much to do: try later', async () => {
    api.answers = [problem(429, 'throttled')]
    expect(await run({ pgpass: at('pgpass'), wait: '0' })).toMatchObject({ exitCode: 4, stdout: '' })
    expect(await readdir(folder)).toEqual([])
  })
})

test('a file that cannot be written is said, and the others are written', async () => {
  await mkdir(at('pgpass'))
  const { exitCode, stdout, stderr, log } = await run({ pgpass: at('pgpass'), json: at('json') })
  expect([exitCode, stdout]).toEqual([1, ''])
  expect(stderr).toBe(`jeton: ${at('pgpass')} cannot be written: it is a folder (EISDIR)\n`)
  expect(log).toContain('"event":"agent_write_failed"')
  expect(JSON.parse(await read('json'))).toMatchObject({ database: 'orders' })
})

test.each([
  ['ca', PEM],
  ['json', '{"name":"my-program"}'],
  ['json', '*:*:*:*:theirs\n'],
])('a file of somebody else’s is not replaced by --%s', async (kind, text) => {
  await writeFile(at('theirs'), text)
  await chmod(at('theirs'), 0o644)
  const { exitCode, stderr } = await run({ [kind]: at('theirs') })
  expect([exitCode, stderr]).toEqual([
    1,
    `jeton: ${at('theirs')} cannot be written: what is in it is not from jeton agent, and would be lost: name another file, or remove it\n`,
  ])
  expect(await read('theirs')).toBe(text)
  expect((await stat(at('theirs'))).mode & 0o777).toBe(0o644)
})

test('JSON of one login becomes that of several', async () => {
  await run({ json: at('json') })
  expect(await run({ databases: ['orders', 'ledger'], json: at('json') })).toMatchObject(READY)
  expect(Object.keys(JSON.parse(await read('json')))).toEqual(['orders', 'ledger'])
})

test('a file of another program’s is kept but for its own lines, byte for byte', async () => {
  const theirs = Buffer.from('*:*:*:*:pw\r\n\xff no newline', 'latin1')
  await writeFile(at('pgpass'), theirs)
  await chmod(at('pgpass'), 0o644)
  await run({ pgpass: at('pgpass') })
  await run({ databases: ['stock'], pgpass: at('pgpass') })
  await run({ pgpass: at('pgpass') })
  const bytes = await readFile(at('pgpass'))
  expect(bytes.subarray(-theirs.length).equals(theirs)).toBe(true)
  expect(
    bytes
      .toString('latin1')
      .match(/begin (\S+)/g)
      ?.sort(),
  ).toEqual(['begin orders', 'begin stock'])
  expect((await stat(at('pgpass'))).mode & 0o777).toBe(0o600)
})

describe('called wrongly', () => {
  test.each<[string, Partial<AgentArguments>, string]>([
    ['no file', {}, 'no file: give one or more of --pgpass, --service,'],
    ['an empty path', { pgpass: '' }, '--pgpass names no file'],
    ['a ~ that no shell saw', { pgpass: '~/.pgpass' }, 'no shell has replaced the ~ of ~/.pgpass'],
    ['one file for two', { pgpass: 'x', json: 'x' }, '/x cannot be two files: --json needs another one'],
    ['a database twice', { databases: ['orders', 'orders'], json: 'x' }, 'orders is named twice'],
    ['a user twice', { databases: ['orders:a', 'orders'], user: 'a', json: 'x' }, 'orders:a is named twice'],
    ['no database', { databases: [':a'], json: 'x' }, ':a is no database: write DATABASE, or DATABASE:USER'],
    ['an empty user', { databases: ['orders:'], json: 'x' }, 'orders: is no database'],
    ['--signal alone', { json: 'x', signal: 'HUP' }, '--signal and --pid-file go together'],
    ['--pid-file alone', { json: 'x', pidFile: 'p' }, '--signal and --pid-file go together'],
    ['an unknown signal', { json: 'x', signal: 'HOP', pidFile: 'p' }, '--signal takes the name of a signal'],
    ['a signal nobody handles', { json: 'x', signal: 'KILL', pidFile: 'p' }, '--signal takes the name'],
    ['no command', { json: 'x', onChange: ' ' }, '--on-change names no command'],
    ['--health once', { json: 'x', health: '0' }, '--health is for an agent that goes on'],
    ['a JWT that is read once', { json: 'x', jwt: '-', once: false }, '--jwt - is read once, and a JWT ends'],
    ['a name to listen at', { json: 'x', health: 'localhost:1', once: false }, '--health takes a port'],
    [
      'two logins in one .env',
      { databases: ['orders', 'ledger'], dotenv: 'x' },
      '--dotenv holds one login, and',
    ],
    [
      'one user of two databases for PgBouncer',
      { databases: ['orders', 'stock'], userlist: 'x' },
      '--userlist holds one login of the user app_ro, and orders and stock would be two: write {database} in its path',
    ],
    [
      'no PostgreSQL',
      { databases: ['ledger'], pgpass: 'x' },
      '--pgpass is for PostgreSQL, and that is not what ledger is',
    ],
    ['no MySQL', { mycnf: 'x' }, '--mycnf is for MySQL and MariaDB, and that is not what orders is'],
  ])('%s', async (_, args, text) => {
    const paths = Object.fromEntries(
      Object.entries(args).map(([name, value]) => [name, value === 'x' ? at('x') : value]),
    )
    const { exitCode, stdout, stderr } = await run(paths)
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toContain(text)
    expect(await readdir(folder)).toEqual([])
  })
})
