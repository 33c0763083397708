import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { findFreePort } from '../../src/dev/postgres/daemon.ts'
import { startEgressProxy } from '../support/egress/egress-proxy.ts'
import { startTlsFront } from '../support/egress/tls-front.ts'
import { type ApiStub, problem, sampleReply, someJwt, startApiStub } from '../support/service/api-stub.ts'
import { CLI, runCli } from '../support/service/jeton.ts'
import { hasTerminals, runInTerminal } from '../support/terminal.ts'

const ONE_FILE = fileURLToPath(new URL('../../dist/jeton.mjs', import.meta.url))
const authority = createAuthority()
const reply = sampleReply()
const got = { code: 0, stdout: `${reply.token}\n`, stderr: '' }
let folder: string
let caFile: string
let api: ApiStub
let closables: { close(): Promise<unknown> }[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caller-'))
  caFile = join(folder, 'ca.pem')
  await writeFile(caFile, authority.caPem)
  api = await startApiStub()
  api.answers = [{ body: reply }]
  closables = [api]
})
afterEach(async () => {
  await Promise.all(closables.map(each => each.close()))
  await rm(folder, { recursive: true })
})

function closeAfterwards<T extends { close(): Promise<unknown> }>(closable: T): T {
  closables.push(closable)
  return closable
}

async function front(by = authority, names = ['127.0.0.1']): Promise<number> {
  return closeAfterwards(await startTlsFront(api.url, by.issue(names))).port
}

describe.each([
  ['the command line', CLI],
  ['the one file', ONE_FILE],
])('%s', (_what, cli) => {
  const token = (args: readonly string[], env: Record<string, string> = {}) =>
    runCli(['token', 'orders', ...args], { cli, env: { JETON_JWT: someJwt(), ...env } })

  test('trusts a private CA besides those that Node was given', async () => {
    const other = createAuthority()
    const extra = join(folder, 'extra.pem')
    await writeFile(extra, other.caPem)
    const env = { NODE_EXTRA_CA_CERTS: extra }
    const [ours, theirs] = [`https://127.0.0.1:${await front()}`, `https://127.0.0.1:${await front(other)}`]
    expect(await token(['--url', ours, '--server-ca', caFile], env)).toEqual(got)
    expect(await token(['--url', theirs, '--server-ca', caFile], env)).toEqual(got)
    expect(await token(['--url', theirs], env)).toEqual(got)
    expect(await token(['--url', ours], env)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('by --server-ca FILE or JETON_CACERT'),
    })
  })

  test('reaches a server through a proxy, and says what is wrong if the proxy refuses', async () => {
    const routes = { 'jeton.example:443': await front(authority, ['jeton.example']) }
    const proxy = closeAfterwards(await startEgressProxy({ routes, credentials: 'user:s3cret' }))
    const env = { JETON_URL: 'https://jeton.example', JETON_CACERT: caFile }
    const at = (user: string) => ({ ...env, HTTPS_PROXY: `http://${user}127.0.0.1:${proxy.port}` })
    expect(await token([], at('user:s3cret@'))).toEqual(got)
    expect(await token([], at('user:s3crets@'))).toEqual({
      code: 1,
      stdout: '',
      stderr: `jeton: jeton.example cannot be reached through the proxy 127.0.0.1:${proxy.port} (PROXY_ANSWERED_407): the proxy asks for a user and a password, as in HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT\n`,
    })
    expect(proxy.requests).toEqual(['CONNECT jeton.example:443', 'CONNECT jeton.example:443'])
  })

  test.each([
    ['token', ['token', 'orders']],
    ['exec', ['exec', 'orders']],
  ])('a signal ends a wait of %s, of the first process of a container too', async (name, args) => {
    const asFirst = "data:text/javascript,Object.defineProperty(process,'pid',{value:1})"
    const options = [
      '--url',
      'http://127.0.0.1:1',
      '--wait',
      '600',
      ...(name === 'exec' ? ['--', 'true'] : []),
    ]
    for (const [node, ended] of [
      [[], [null, 'SIGTERM']],
      [
        ['--import', asFirst],
        [143, null],
      ],
    ] as const) {
      const env = { PATH: process.env.PATH, JETON_JWT: someJwt() }
      const child = spawn(process.execPath, [...node, cli, ...args, ...options], { env })
      const closed = once(child, 'close')
      await once(child.stderr, 'data')
      child.kill('SIGTERM')
      expect(await closed).toEqual(ended)
    }
  })

  test('ends though something goes on that nothing stops, as a search for a host does', async () => {
    const NODE_OPTIONS = `--import=data:text/javascript,setTimeout(()=>{},60_000)`
    const ended = await token(['--url', 'http://127.0.0.1:1'], { NODE_OPTIONS })
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('ECONNREFUSED') })
    expect(await token(['--url', api.url], { NODE_OPTIONS })).toEqual(got)
  })

  test('says which -- is missing, for a command with options too', async () => {
    for (const [args, line] of [
      [['orders', 'psql', '-c', 'select 1'], '-- is missing before the command: jeton exec orders -- psql …'],
      [['orders'], 'no command: it comes after --, as in jeton exec orders -- psql …'],
      [['--', 'psql'], 'no database: it comes before --, as in jeton exec DATABASE -- psql …'],
    ] as const)
      expect(await runCli(['exec', ...args], { cli, env: { JETON_URL: api.url } })).toEqual({
        code: 125,
        stdout: '',
        stderr: `jeton: ${line}\n`,
      })
    expect(api.requests).toEqual([])
  })
})

describe('jeton token --wait', () => {
  const busy = { ...problem(429, 'throttled'), headers: { 'retry-after': '1' } }

  test('gets a token from a server that starts meanwhile', async () => {
    const port = await findFreePort(OWN_ADDRESS)
    const child = spawn(process.execPath, [CLI, 'token', 'orders', '--wait', '20'], {
      env: { PATH: process.env.PATH, JETON_URL: `http://${OWN_ADDRESS}:${port}`, JETON_JWT: someJwt() },
    })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', chunk => {
      printed += chunk
    })
    const closed = once(child, 'close')
    const [notice] = await once(child.stderr.setEncoding('utf8'), 'data')
    expect(notice).toMatch(
      /^jeton: next try in 1 s, trying until \S+Z: 127\.0\.0\.2:\d+ cannot be reached \(ECONNREFUSED\): nothing /,
    )
    const server = createServer((_request, response) => response.end(JSON.stringify(reply)))
    await new Promise<void>(resolve => server.listen(port, OWN_ADDRESS, resolve))
    expect([await closed, printed]).toEqual([[0, null], got.stdout])
    server.close()
  })

  test('asks the platform for a new JWT for each attempt, its own failures included, and says so once', async () => {
    const [first, second] = [someJwt(), someJwt()]
    const github = closeAfterwards(await startApiStub())
    github.answers = [{ body: { value: first } }, { status: 503 }, { body: { value: second } }]
    api.answers = [{ status: 502, body: '<html>' }, { body: reply }]
    const { code, stdout, stderr } = await runCli(['token', 'orders', '--wait', '20'], {
      env: {
        JETON_URL: api.url,
        GITHUB_ACTIONS: 'true',
        ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/token?x=1`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: someJwt(),
      },
    })
    expect([code, stdout]).toEqual([0, got.stdout])
    // beside it there is what hides the token in the job's log
    const notices = stderr.split('\n').filter(line => line.startsWith('jeton: '))
    expect(notices).toEqual([
      expect.stringMatching(/^jeton: next try in 1 s, .*: 127\.0\.0\.1:\d+ answered 502 /),
    ])
    expect(github.requests).toHaveLength(3)
    expect(api.requests.map(({ authorization }) => authorization)).toEqual([
      `Bearer ${first}`,
      `Bearer ${second}`,
    ])
  })

  test('ends at once with what does not pass', async () => {
    for (const [answer, code] of [
      [problem(403, 'access_denied'), 3],
      [problem(502, 'role_refused'), 1],
    ] as const) {
      api.answers = [answer]
      const before = api.requests.length
      const env = { JETON_URL: api.url, JETON_JWT: someJwt() }
      expect(await runCli(['token', 'orders', '--wait', '60'], { env })).toMatchObject({ code })
      expect(api.requests).toHaveLength(before + 1)
    }
  })

  test.runIf(hasTerminals)('says each time on a terminal that it waits', async () => {
    api.answers = [busy, busy, { body: reply }]
    const command = [process.execPath, CLI, 'token', 'orders', '--wait', '20'].join(' ')
    const { stdout } = await runInTerminal(command, { env: { JETON_URL: api.url, JETON_JWT: someJwt() } })
    expect(stdout.match(/the server asks to wait 1 s/g)).toHaveLength(2)
    expect(stdout).toContain(reply.token)
  })
})

/** Of loopback, and used by no other test: a port of it that is free stays so. */
const OWN_ADDRESS = '127.0.0.2'
