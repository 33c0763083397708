import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type TokenArguments, tokenCommand } from '../../src/cli/token.ts'
import { loginVariables, MYSQL_VARIABLES, POSTGRES_VARIABLES } from '../../src/client/client-variables.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import {
  type ApiStub,
  PEM,
  problem,
  RDS_HOST,
  sampleReply,
  someJwt,
  startApiStub,
} from '../support/service/api-stub.ts'
import { recordStreams } from './record-streams.ts'

const jwt = someJwt()
/** What the command waits for after it wrote masks. */
const RUNNER_MS = 100
let api: ApiStub
let folder: string
/** What the last run did, in this order. */
let order: string[]

beforeEach(async () => {
  api = await startApiStub()
  folder = await mkdtemp(join(tmpdir(), 'token-'))
})
afterEach(async () => {
  await api.close()
  await rm(folder, { recursive: true })
})

async function run(args: Partial<TokenArguments> = {}, env: Record<string, string> = {}) {
  const { streams, written } = recordStreams()
  order = []
  const clock = virtualClock()
  const { sleep } = clock
  clock.sleep = async (ms, signal) => (ms === RUNNER_MS ? void order.push('wait') : sleep(ms, signal))
  const ordered = (name: 'stdout' | 'stderr') => ({
    write(text: string) {
      order.push(name)
      streams[name].write(text)
    },
  })
  const exitCode = await tokenCommand(
    { database: 'orders', ...args },
    {
      stdin: streams.stdin,
      stdout: ordered('stdout'),
      stderr: ordered('stderr'),
      env: { HOME: folder, JETON_URL: api.url, JETON_JWT: jwt, ...env },
      lookup: async host => ({ address: host === 'tunnel.example' ? '192.0.2.7' : host }),
      clock,
    },
  )
  return { exitCode, ...written }
}

/** The environment of a shell after it has evaluated the script. */
function evaluated(script: string): Record<string, string> {
  const misleading = [POSTGRES_VARIABLES, MYSQL_VARIABLES].flatMap(loginVariables)
  const inherited = Object.fromEntries([...misleading.map(name => [name, 'other']), ['SCRIPT', script]])
  const stdout = execFileSync('/bin/sh', ['-c', 'eval "$SCRIPT"; unset SCRIPT; env -0'], { env: inherited })
  const pairs = stdout.toString().split('\0').filter(Boolean)
  return Object.fromEntries(
    pairs.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
}

describe('jeton token', () => {
  test('prints the token and requests no more than it needs', async () => {
    const reply = sampleReply()
    api.answers = [{ body: reply }]
    expect(await run({ user: 'app_ro' })).toEqual({ exitCode: 0, stdout: `${reply.token}\n`, stderr: '' })
    expect(api.requests[0]?.body).toBe('{"database":"orders","user":"app_ro"}')
  })

  test('prints the reply as JSON, with members that this version does not know', async () => {
    const reply = sampleReply({ later: { more: 1 } })
    api.answers = [{ body: reply }]
    expect(JSON.parse((await run({ output: 'json' })).stdout)).toEqual(reply)
  })

  test('prints shell commands that set the login and unset what would misdirect it', async () => {
    const reply = sampleReply({ user: "o'brien$(id)", dbname: 'shop', connect: 'tunnel.example:15432' })
    api.answers = [{ body: reply }]
    const caFile = join(folder, 'ca.pem')
    const env = evaluated((await run({ output: 'env', caFile })).stdout)
    expect(env).toMatchObject({
      PGHOST: RDS_HOST,
      PGHOSTADDR: '192.0.2.7',
      PGPORT: '15432',
      PGUSER: "o'brien$(id)",
      PGPASSWORD: reply.token,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: caFile,
      PGDATABASE: 'shop',
    })
    for (const name of loginVariables(POSTGRES_VARIABLES)) expect(env[name]).not.toBe('other')
    expect(await readFile(caFile, 'utf8')).toBe(PEM)
    expect((await stat(caFile)).mode & 0o600).toBe(0o600)
  })

  test('leaves PGHOSTADDR and PGDATABASE out if it does not know them', async () => {
    api.answers = [{ body: sampleReply() }]
    const env = evaluated((await run({ output: 'env' })).stdout)
    for (const name of ['PGHOSTADDR', 'PGDATABASE']) expect(env).not.toHaveProperty(name)
  })

  test('keeps the CA bundle in a private file of its user, once', async () => {
    api.answers = [{ body: sampleReply() }]
    const { PGSSLROOTCERT = '' } = evaluated((await run({ output: 'env' })).stdout)
    expect(PGSSLROOTCERT).toBe(join(folder, '.cache', 'jeton', `ca-${sha256Hex(PEM)}.pem`))
    const first = await stat(PGSSLROOTCERT)
    expect([await readFile(PGSSLROOTCERT, 'utf8'), first.mode & 0o777]).toEqual([PEM, 0o600])
    expect((await stat(dirname(PGSSLROOTCERT))).mode & 0o777).toBe(0o700)
    expect((await run({ output: 'uri' })).stdout).toContain(
      `sslrootcert=${encodeURIComponent(PGSSLROOTCERT)}`,
    )
    expect((await stat(PGSSLROOTCERT)).ino).toBe(first.ino)
    expect(api.requests.map(({ body }) => JSON.parse(body).caPem)).toEqual([true, true])
  })

  test('writes no file for a form that refers to none', async () => {
    api.answers = [{ body: sampleReply() }]
    for (const output of ['token', 'json', 'pgpass']) expect((await run({ output })).exitCode).toBe(0)
    expect(await readdir(folder)).toEqual([])
    expect(api.requests.map(({ body }) => JSON.parse(body).caPem)).toEqual([undefined, undefined, undefined])
  })

  test('refers to the CA bundle that is named instead', async () => {
    api.answers = [{ body: sampleReply({ ca: {} }) }]
    const ca = join(folder, 'own.pem')
    await writeFile(ca, 'own')
    expect(evaluated((await run({ output: 'env', ca })).stdout).PGSSLROOTCERT).toBe(ca)
    expect(api.requests[0]?.body).toBe('{"database":"orders"}')
    expect(await run({ output: 'env', ca: join(folder, 'none') })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('cannot read the CA bundle'),
    })
    expect(await run({ output: 'env', ca, caFile: ca })).toMatchObject({ exitCode: 2, stdout: '' })
  })

  test('names the cure if there is no place for the CA bundle', async () => {
    const reply = sampleReply()
    api.answers = [{ body: reply }]
    const ended = await run({ output: 'env' }, { HOME: '' })
    expect(ended).toEqual({
      exitCode: 1,
      stdout: '',
      stderr:
        'jeton: no private folder for ca.pem (neither XDG_CACHE_HOME nor HOME is set): set XDG_CACHE_HOME to an existing folder of yours, or give --ca-file\n',
    })
    expect((await run({ output: 'env', caFile: join(folder, 'ca.pem') }, { HOME: '' })).exitCode).toBe(0)
  })

  test('makes a MySQL client check the server before it lets it send the token', async () => {
    const reply = sampleReply({ engine: 'mysql', port: 3306 })
    api.answers = [{ body: reply }]
    const env = evaluated((await run({ output: 'env' })).stdout)
    expect(env).toMatchObject({
      MYSQL_HOST: RDS_HOST,
      MYSQL_TCP_PORT: '3306',
      MYSQL_PWD: reply.token,
      LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN: '1',
    })
    for (const [name, option] of [
      ['MYSQL_HOME', 'loose-ssl-mode=VERIFY_IDENTITY'],
      ['MARIADB_HOME', 'ssl-verify-server-cert'],
    ] as const) {
      const file = join(env[name] ?? '', 'my.cnf')
      const text = await readFile(file, 'utf8')
      expect(text).toContain(`\nssl-ca="${env.MYSQL_SSL_CA}"\n${option}\n`)
      expect(text).not.toContain(reply.token)
      expect((await stat(file)).mode & 0o777).toBe(0o600)
    }
    await expect(stat(env.MYSQL_TEST_LOGIN_FILE ?? '')).rejects.toThrow('ENOENT')
    for (const name of loginVariables(MYSQL_VARIABLES)) expect(env[name]).not.toBe('other')
  })

  test.each([
    ['mycnf', {}, '-o mycnf is for MySQL and MariaDB; orders is postgres: take pgpass or service'],
    ['pgpass', { engine: 'mariadb' }, '-o pgpass is for PostgreSQL; orders is mariadb: take mycnf'],
    ['service', { engine: 'mysql' }, '-o service is for PostgreSQL; orders is mysql: take mycnf'],
  ])('says which form is for the engine: %s', async (output, overrides, problem) => {
    const reply = sampleReply(overrides)
    api.answers = [{ body: reply }]
    expect(await run({ output })).toEqual({ exitCode: 2, stdout: '', stderr: `jeton: ${problem}\n` })
    expect(await readdir(folder)).toEqual([])
  })

  test.each([
    [{ GITHUB_ACTIONS: 'true' }, '::add-mask::'],
    [{ TF_BUILD: 'True' }, '##vso[task.setsecret]'],
  ])('masks the token in a job’s log before it prints it: %o', async (env, command) => {
    const reply = sampleReply()
    api.answers = [{ body: reply }]
    const ended = await run({ output: 'pgpass' }, env)
    expect(ended.exitCode).toBe(0)
    expect(order).toEqual(['stderr', 'wait', 'stdout'])
    for (const line of ended.stderr.trimEnd().split('\n')) expect(line.startsWith(command)).toBe(true)
    api.answers = [problem(403, 'access_denied')]
    expect((await run({}, env)).stderr).not.toContain(command)
  })

  test.each([
    [problem(401, 'unauthenticated', { detail: `no: ${jwt}` }), 3],
    [problem(403, 'access_denied'), 3],
    [problem(400, 'invalid_request'), 2],
    [problem(429, 'throttled'), 4],
    [problem(503, 'temporarily_unavailable'), 4],
    [problem(502, 'role_refused'), 1],
  ])('prints a refusal only on stderr, without the JWT: %o', async (answer, exitCode) => {
    api.answers = [answer]
    const ended = await run({ output: 'env', caFile: join(folder, 'ca.pem') })
    expect(ended).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining('request id req-1') })
    expect(ended.stderr).not.toContain(jwt)
    await expect(stat(join(folder, 'ca.pem'))).rejects.toThrow('ENOENT')
  })

  test.each([
    [
      { output: 'xml' },
      '-o takes one of token, json, env, pgpass, mycnf, service, uri, jdbc, external, dotenv',
    ],
    [{ wait: 'long' }, '--wait'],
    [{ wait: '-1' }, '--wait'],
    [{ url: 'http://jeton.example.com' }, 'https://'],
  ])('takes %o for a usage error and sends no request', async (args, message) => {
    expect(await run(args)).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    })
    expect(api.requests).toEqual([])
  })

  test('says that it needs a server and a credential', async () => {
    expect(await run({}, { JETON_URL: '' })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('JETON_URL'),
    })
    expect(await run({}, { JETON_JWT: '' })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--jwt'),
    })
  })

  test('prints no token if the CA bundle cannot be written', async () => {
    const reply = sampleReply()
    api.answers = [{ body: reply }]
    const ended = await run({ caFile: join(folder, 'none', 'ca.pem') })
    expect(ended).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('(ENOENT)') })
    expect(ended.stderr).not.toContain(reply.token)
  })

  test('says that an engine needs a newer jeton', async () => {
    api.answers = [{ body: sampleReply({ engine: 'oracle' }) }]
    expect(await run({ output: 'env' })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('oracle'),
    })
    expect((await run()).exitCode).toBe(0)
  })
})
