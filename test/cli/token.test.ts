import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type TokenArguments, tokenCommand } from '../../src/cli/token.ts'
import { loginVariables, MYSQL_VARIABLES, POSTGRES_VARIABLES } from '../../src/client/client-variables.ts'
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
let api: ApiStub
let folder: string

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
  const exitCode = await tokenCommand(
    { database: 'orders', ...args },
    {
      ...streams,
      env: { JETON_URL: api.url, JETON_JWT: jwt, ...env },
      lookup: async host => ({ address: host === 'tunnel.example' ? '192.0.2.7' : host }),
      clock: virtualClock(),
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

  test('leaves PGHOSTADDR, PGDATABASE and PGSSLROOTCERT out if it does not know them', async () => {
    api.answers = [{ body: sampleReply() }]
    const env = evaluated((await run({ output: 'env' })).stdout)
    for (const name of ['PGHOSTADDR', 'PGDATABASE', 'PGSSLROOTCERT']) expect(env).not.toHaveProperty(name)
  })

  test('never makes a MySQL client send the token unencrypted before it can check the server', async () => {
    const reply = sampleReply({ engine: 'mysql', port: 3306 })
    api.answers = [{ body: reply }]
    const env = evaluated((await run({ output: 'env' })).stdout)
    expect(env).toMatchObject({ MYSQL_HOST: RDS_HOST, MYSQL_TCP_PORT: '3306', MYSQL_PWD: reply.token })
    expect(env).not.toHaveProperty('LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN')
    for (const name of loginVariables(MYSQL_VARIABLES)) expect(env[name]).not.toBe('other')
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
    [{ output: 'pgpass' }, '-o takes one of token, json, env'],
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
