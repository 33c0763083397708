import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ExecArguments } from '../../src/cli/exec.ts'
import { azureLog, githubLog } from '../support/job-log.ts'
import {
  type ApiStub,
  PEM,
  problem,
  RDS_HOST,
  sampleReply,
  someJwt,
  startApiStub,
} from '../support/service/api-stub.ts'

const jwt = someJwt()
let built: string
let runner: string
let api: ApiStub
/** TMPDIR of each run: whatever jeton left behind would be here. */
let temp: string
let running: ChildProcess[]

beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), 'runner-'))
  runner = join(built, 'runner.mjs')
  const entryPoints = [join(import.meta.dirname, 'runner.ts')]
  await build({ entryPoints, outfile: runner, bundle: true, platform: 'node', format: 'esm' })
})
afterAll(() => rm(built, { recursive: true }))

beforeEach(async () => {
  api = await startApiStub()
  temp = await mkdtemp(join(tmpdir(), 'exec-'))
  running = []
})
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL')
  await api.close()
  await rm(temp, { recursive: true })
})

function start(args: Partial<ExecArguments>, env: Record<string, string> = {}) {
  const json = JSON.stringify({ database: 'orders', extraWords: [], ...args })
  const child = spawn(process.execPath, [runner, 'exec', json], {
    env: { PATH: process.env.PATH, TMPDIR: temp, JETON_URL: api.url, JETON_JWT: jwt, ...env },
  })
  running.push(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const ended = once(child, 'close').then(([exitCode, signal]) => ({ exitCode, signal, stdout, stderr }))
  /** Waits for what the command prints once it is ready. */
  const printed = async (text: string) => {
    while (!stdout.includes(text)) await once(child.stdout, 'data')
  }
  return { child, ended, printed }
}

const run = (args: Partial<ExecArguments>, env?: Record<string, string>) => start(args, env).ended

/** A command that runs this JavaScript. */
const js = (code: string, ...args: string[]) => [process.execPath, '-e', code, ...args]

/** Prints the environment and the files that it names. */
const PRINT_LOGIN = `
  const fs = require('node:fs')
  const read = path => path && fs.existsSync(path) ? { text: fs.readFileSync(path, 'utf8'), mode: fs.statSync(path).mode & 0o777 } : undefined
  const { env } = process
  const folder = env.TMPDIR + '/' + fs.readdirSync(env.TMPDIR).find(name => name.startsWith('jeton-'))
  console.log(JSON.stringify({ env, folderMode: fs.statSync(folder).mode & 0o777,
    ca: read(env.PGSSLROOTCERT ?? env.MYSQL_SSL_CA),
    mariadb: read(env.MARIADB_HOME + '/my.cnf'), mysql: read(env.MYSQL_HOME + '/my.cnf'),
    loginPaths: read(env.MYSQL_TEST_LOGIN_FILE) }))`

/** What a command run by `jeton exec` sees. */
async function loginSeen(args: Partial<ExecArguments> = {}, env?: Record<string, string>) {
  const ended = await run({ command: js(PRINT_LOGIN), ...args }, env)
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await readdir(temp)).not.toContainEqual(expect.stringMatching(/^jeton-/))
  return JSON.parse(ended.stdout)
}

describe('jeton exec runs a command that sees', () => {
  test('the login, with a CA bundle in a private folder that is removed afterwards', async () => {
    const reply = sampleReply({ dbname: 'shop' })
    api.answers = [{ body: reply }]
    const inherited = {
      PGHOSTADDR: '10.0.0.1',
      PGSERVICE: 'x',
      PGPASSFILE: '/x',
      DATABASE_URL: 'postgresql://dev@localhost/dev',
      PGCHANNELBINDING: 'require',
      PGGSSENCMODE: 'require',
      JETON_API_KEY: '',
      ACTIONS_ID_TOKEN_REQUEST_URL: 'https://github.example/token',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x',
      PGAPPNAME: 'kept',
      KEPT: 'yes',
    }
    const { env, ca, folderMode } = await loginSeen({ user: 'app_ro' }, inherited)
    expect(env).toMatchObject({
      PGHOST: RDS_HOST,
      PGPORT: '5432',
      PGUSER: 'app_ro',
      PGPASSWORD: reply.token,
      PGSSLMODE: 'verify-full',
      PGGSSENCMODE: 'disable',
      DATABASE_URL: `postgresql://app_ro:${encodeURIComponent(reply.token)}@${RDS_HOST}:5432/shop?sslmode=verify-full&sslrootcert=${encodeURIComponent(env.PGSSLROOTCERT)}`,
      PGDATABASE: 'shop',
      PGAPPNAME: 'kept',
      KEPT: 'yes',
      JETON_URL: api.url,
    })
    expect([ca.text, folderMode]).toEqual([PEM, 0o700])
    for (const name of ['PGHOSTADDR', 'PGSERVICE', 'PGPASSFILE', 'PGCHANNELBINDING'])
      expect(env).not.toHaveProperty(name)
    expect(Object.keys(env).filter(name => /^(JETON_(?!URL)|ACTIONS_)/.test(name))).toEqual([])
    expect(JSON.parse(api.requests[0]!.body)).toEqual({ database: 'orders', user: 'app_ro', caPem: true })
  })

  test('the numeric address of a tunnel, and the name that is verified unchanged', async () => {
    api.answers = [{ body: sampleReply({ connect: 'localhost:15432' }) }]
    const { env } = await loginSeen({}, { PGHOSTADDR: '10.0.0.1' })
    expect(env).toMatchObject({ PGHOST: RDS_HOST, PGPORT: '15432' })
    expect(['127.0.0.1', '::1']).toContain(env.PGHOSTADDR)
  })

  test('a module that leads Node through the tunnel, before the options that were there', async () => {
    api.answers = [{ body: sampleReply({ connect: 'localhost:15432' }) }]
    const { env } = await loginSeen({}, { NODE_OPTIONS: '--no-warnings' })
    expect(env.NODE_OPTIONS).toMatch(/^--require "\/\S+\/jeton-\w+\/node-tunnel\.cjs" --no-warnings$/)
    const look = `require('dns').lookup('${RDS_HOST}', (error, address) => console.log(error ?? address))`
    expect(['127.0.0.1\n', '::1\n']).toContain((await run({ command: js(look) })).stdout)
    api.answers = [{ body: sampleReply() }]
    expect((await loginSeen()).env).not.toHaveProperty('NODE_OPTIONS')
  })

  test('URLs in the variables that it was asked for', async () => {
    const reply = sampleReply({ dbname: 'shop' })
    api.answers = [{ body: reply }]
    const { env } = await loginSeen({ urlAs: ['APP_DB', 'SPRING_DATASOURCE_URL:jdbc'] }, { APP_DB: 'other' })
    expect(env.APP_DB).toBe(env.DATABASE_URL)
    const { searchParams } = new URL(env.SPRING_DATASOURCE_URL.slice('jdbc:'.length))
    expect([searchParams.get('password'), searchParams.get('sslrootcert')]).toEqual([
      reply.token,
      env.PGSSLROOTCERT,
    ])
  })

  test('the CA bundle that was given, instead of the server’s', async () => {
    api.answers = [{ body: sampleReply({ ca: {} }) }]
    const ca = join(temp, 'own.pem')
    await writeFile(ca, 'own')
    expect((await loginSeen({ ca })).env.PGSSLROOTCERT).toBe(ca)
  })

  test('for MySQL, an option file for each family of clients, without the token', async () => {
    const reply = sampleReply({ engine: 'mysql', port: 3306, dbname: 'shop' })
    api.answers = [{ body: reply }]
    const inherited = { MARIADB_TLS_DISABLE_PEER_VERIFICATION: '1', MYSQL_TEST_LOGIN_FILE: runner }
    const { env, ca, mariadb, mysql, loginPaths } = await loginSeen({}, inherited)
    expect(env).toMatchObject({
      MYSQL_HOST: RDS_HOST,
      MYSQL_TCP_PORT: '3306',
      MYSQL_USER: 'app_ro',
      MYSQL_PWD: reply.token,
      MYSQL_DATABASE: 'shop',
      LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN: '1',
    })
    expect([env.MYSQL_TEST_LOGIN_FILE.startsWith(temp), loginPaths]).toEqual([true, undefined])
    expect(env).not.toHaveProperty('MARIADB_TLS_DISABLE_PEER_VERIFICATION')
    expect(env).not.toHaveProperty('PGPASSWORD')
    expect(ca.text).toBe(PEM)
    for (const file of [mariadb, mysql]) {
      expect(file.mode).toBe(0o600)
      expect(file.text).toContain(`ssl-ca="${env.MYSQL_SSL_CA}"`)
      expect(file.text).not.toContain(reply.token)
    }
  })

  test('with --proxy a socket and no secret, in /tmp if the path of TMPDIR is too long for a socket', async () => {
    api.answers = [{ body: sampleReply({ dbname: 'shop' }) }]
    const long = join(temp, 'x'.repeat(80))
    await mkdir(long)
    const command = js('console.log(JSON.stringify(process.env))')
    const { stdout, stderr } = await run(
      { command, proxy: true, urlAs: ['APP_DB'] },
      { TMPDIR: long, PGSSLMODE: 'require' },
    )
    const env = JSON.parse(stdout)
    expect(env).toMatchObject({ PGPORT: '5432', PGUSER: 'app_ro', PGSSLMODE: 'disable', TMPDIR: long })
    expect(env.PGHOST).toMatch(/^\/tmp\/jeton-\w{6}$/)
    expect(env.APP_DB).toBe(env.DATABASE_URL)
    for (const secret of ['X-Amz', jwt]) expect(stdout).not.toContain(secret)
    expect([stderr, existsSync(env.PGHOST)]).toEqual(['', false])
  })

  test('its arguments unchanged, and the stdin of jeton', async () => {
    api.answers = [{ body: sampleReply() }]
    const echo = 'process.stdin.pipe(process.stdout); console.log(JSON.stringify(process.argv.slice(1)))'
    const { child, ended } = start({ command: js(echo, '--', '-x', 'a b', '') })
    child.stdin.end('from stdin')
    expect((await ended).stdout).toBe('["-x","a b",""]\nfrom stdin')
  })
})

describe('jeton exec ends', () => {
  beforeEach(() => {
    api.answers = [{ body: sampleReply() }]
  })

  test.each([0, 1, 42, 125])('with the command’s exit code %d', async code => {
    expect(await run({ command: js(`process.exit(${code})`) })).toMatchObject({
      exitCode: code,
      signal: null,
    })
  })

  test.each(['SIGTERM', 'SIGKILL', 'SIGUSR1'])(
    'by %s if that ended the command, after cleaning up',
    async signal => {
      const command = ['/bin/sh', '-c', `kill -${signal.slice(3)} $$`]
      expect(await run({ command })).toMatchObject({ exitCode: null, signal })
      expect(await readdir(temp)).not.toContainEqual(expect.stringMatching(/^jeton-/))
    },
  )

  test.each([
    'SIGINT',
    'SIGTERM',
    'SIGHUP',
    'SIGQUIT',
    'SIGUSR1',
    'SIGUSR2',
    'SIGALRM',
    'SIGXCPU',
    'SIGPWR',
    'SIGWINCH',
  ] as const)('only after a command that handles %s', async signal => {
    const code = `process.on('${signal}', () => { console.log('got it'); setTimeout(() => process.exit(7), 50) })
        setInterval(() => {}, 1000); console.log('ready')`
    const { child, ended, printed } = start({ command: js(code) })
    await printed('ready')
    child.kill(signal)
    expect(await ended).toMatchObject({ exitCode: 7, stdout: 'ready\ngot it\n', stderr: '' })
    expect(await readdir(temp)).not.toContainEqual(expect.stringMatching(/^jeton-/))
  })

  test.each(['SIGTERM', 'SIGHUP', 'SIGALRM'] as const)(
    'by %s, if the command does not handle it',
    async signal => {
      const { child, ended, printed } = start({
        command: js(`setInterval(() => {}, 1000); console.log('ready')`),
      })
      await printed('ready')
      child.kill(signal)
      expect(await ended).toMatchObject({ exitCode: null, signal })
      expect(await readdir(temp)).not.toContainEqual(expect.stringMatching(/^jeton-/))
    },
  )

  test('by a signal that arrives while it waits for the first token of its proxy', async () => {
    let asked = () => {}
    const isAsked = new Promise<void>(resolve => {
      asked = resolve
    })
    api.answers = [
      () => {
        asked()
        return problem(503, 'temporarily_unavailable')
      },
    ]
    const { child, ended } = start({ command: js(`console.log('ran')`), proxy: true, wait: '60' })
    await isAsked
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ signal: 'SIGTERM', stdout: '' })
    expect(await readdir(temp)).not.toContainEqual(expect.stringMatching(/^jeton-/))
  })

  test('with its folder removed if whoever read its output is gone, as when a terminal closes', async () => {
    const { child, ended, printed } = start({
      command: ['/bin/sh', '-c', 'echo ready; read line; echo more; echo more >&2'],
    })
    await printed('ready')
    child.stdout.destroy()
    child.stderr.destroy()
    child.stdin.end('\n')
    await ended
    expect(await readdir(temp)).not.toContainEqual(expect.stringMatching(/^jeton-/))
  })

  test('with 127 if the command is not found, and with 126 if it cannot be run', async () => {
    expect(await run({ command: ['no-such-command-here'] })).toMatchObject({
      exitCode: 127,
      stderr: expect.stringMatching(/^jeton: no-such-command-here is not found: /),
    })
    const path = join(temp, 'plain')
    await writeFile(path, 'text')
    await chmod(path, 0o644)
    expect(await run({ command: [path] })).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining('EACCES'),
    })
    expect(await readdir(temp)).not.toContainEqual(expect.stringMatching(/^jeton-/))
  })

  test.each([
    [
      'refused',
      problem(403, 'access_denied', { detail: `not ${jwt}` }),
      {},
      'access_denied, request id req-1',
    ],
    ['asked to try again later', problem(503, 'temporarily_unavailable'), {}, 'try again later'],
    ['given no token', { body: sampleReply({ token: 7 }) }, {}, 'is not a token'],
    ['given an unknown engine', { body: sampleReply({ engine: 'oracle' }) }, {}, 'oracle'],
    ['given a tunnel without an address', { body: sampleReply({ connect: 'nowhere' }) }, {}, 'not host:port'],
    [
      'given a CA bundle that is not there',
      { body: sampleReply() },
      { ca: '/none/ca.pem' },
      '/none/ca.pem (ENOENT)',
    ],
    [
      'asked for a URL of no form',
      { body: sampleReply() },
      { urlAs: ['DB:odbc'] },
      '--url-as takes the name',
    ],
    ['given no command', { body: sampleReply() }, { command: [] }, 'no command'],
    ['refused under --proxy', problem(403, 'access_denied'), { proxy: true }, 'jeton: '],
    [
      'given an unknown engine to proxy',
      { body: sampleReply({ engine: 'oracle' }) },
      { proxy: true },
      'oracle',
    ],
    [
      'given a CA bundle to proxy with that is not there',
      {},
      { proxy: true, ca: '/none/ca.pem' },
      '/none/ca.pem',
    ],
    ['asked for JDBC at a socket', {}, { proxy: true, urlAs: ['DB:jdbc'] }, 'needs --proxy-port too'],
    ['given no port', {}, { proxyPort: '65536' }, '--proxy-port takes a number from 0 to 65535'],
  ])('with 125, without running the command, if jeton is %s', async (_what, answer, args, message) => {
    api.answers = [answer]
    const ended = await run({ command: js(`console.log('ran')`), ...args })
    expect(ended).toMatchObject({ exitCode: 125, stdout: '', stderr: expect.stringContaining(message) })
    expect(ended.stderr).not.toContain(jwt)
    expect(ended.stderr).not.toContain('X-Amz-Signature')
    expect(await readdir(temp)).not.toContainEqual(expect.stringMatching(/^jeton-/))
  })

  test('with 125 and the cure, if there is no place for its files', async () => {
    const ended = await run({ command: js(`console.log('ran')`) }, { TMPDIR: '/none/x' })
    expect(ended).toMatchObject({
      exitCode: 125,
      stdout: '',
      stderr:
        'jeton: cannot create a folder in /none/x (ENOENT): set TMPDIR to a folder that can be written to\n',
    })
  })
})

describe('jeton exec in a job', () => {
  const trace = ['/bin/sh', '-xc', ': "password=$PGPASSWORD" "url=$DATABASE_URL"; echo done']

  test.each([
    [{ GITHUB_ACTIONS: 'true' }, githubLog],
    [{ TF_BUILD: 'True' }, (output: string) => azureLog(output, { decodesPercents: true })],
  ])('has the token masked before the command can print it: %o', async (env, logOf) => {
    const reply = sampleReply()
    api.answers = [{ body: reply }]
    const { exitCode, stdout, stderr } = await run({ command: trace }, env)
    expect([exitCode, stdout]).toEqual([0, 'done\n'])
    expect(stderr).toContain(`password=${reply.token}`)
    const log = logOf(stderr)
    expect(log).toContain('+ : password=***')
    expect(log).toContain('url=postgresql://app_ro:***@')
    expect(log).not.toContain(reply.token.slice(-64))
  })

  test('without a runner that masks gets no more than the command prints', async () => {
    api.answers = [{ body: sampleReply() }]
    const { stderr } = await run({ command: ['/bin/sh', '-c', 'echo done >&2'] }, { GITLAB_CI: 'true' })
    expect(stderr).toBe('done\n')
  })
})

describe('jeton exec authenticates', () => {
  test('in GitHub Actions without any set-up', async () => {
    api.answers = [
      request => (request.path.startsWith('/github') ? { body: { value: jwt } } : { body: sampleReply() }),
    ]
    const env = {
      JETON_JWT: '',
      GITHUB_ACTIONS: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: `${api.url}/github?v=2`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x',
    }
    expect((await run({ command: ['true'] }, env)).exitCode).toBe(0)
    expect(api.requests.map(request => [request.path, request.authorization])).toEqual([
      ['/github?v=2&audience=jeton', 'Bearer x'],
      ['/v1/tokens', `Bearer ${jwt}`],
    ])
  })

  test('in Kubernetes with the token that is in the file at the time', async () => {
    const file = join(temp, 'projected')
    const rotated = someJwt()
    await writeFile(file, jwt)
    // the first token expires before the server lets jeton retry; by then Kubernetes has replaced it
    api.answers = [
      () => {
        writeFileSync(file, `${rotated}\n`)
        return { ...problem(503, 'temporarily_unavailable'), headers: { 'retry-after': '1' } }
      },
      { body: sampleReply() },
    ]
    const ended = await run({ command: ['true'], wait: '10' }, { JETON_JWT: '', JETON_JWT_FILE: file })
    expect(ended).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('the server asks to wait 1 s'),
    })
    expect(api.requests.map(request => request.authorization)).toEqual([`Bearer ${jwt}`, `Bearer ${rotated}`])
    expect(await readFile(file, 'utf8')).toContain(rotated)
  })
})
