import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tokenCommand } from '../../src/cli/token.ts'
import { type WhoamiArguments, whoamiCommand } from '../../src/cli/whoami.ts'
import { startGithubJob } from '../support/oidc/github.ts'
import { problem, someJwt, startApiStub } from '../support/service/api-stub.ts'
import { startApi, type TestApi } from '../support/service/app.ts'
import { runCli } from '../support/service/jeton.ts'
import { recordStreams } from './record-streams.ts'

const lookup = async () => ({ address: '192.0.2.7' })

/** Runs `jeton whoami` at the time of the API. */
async function whoami(
  api: Pick<TestApi, 'clock' | 'url'>,
  env: Record<string, string>,
  args: WhoamiArguments = {},
) {
  const { streams, written } = recordStreams()
  const context = { ...streams, env: { JETON_URL: api.url, ...env }, lookup, clock: api.clock }
  return { exitCode: await whoamiCommand(args, context), ...written }
}

async function startJob(api: TestApi, claims: object = {}) {
  return startGithubJob(async audience => {
    const header = await api.bearer({ aud: audience, ...claims })
    return header.slice('Bearer '.length)
  })
}

test('shows whom the server takes the caller for, and what else is set and ignored', async () => {
  const api = await startApi()
  const job = await startJob(api)
  const env = { ...job.env, JETON_API_KEY: '', VERCEL_OIDC_TOKEN: someJwt() }
  expect(await whoami(api, env)).toEqual({
    exitCode: 0,
    stderr: '',
    stdout: [
      'issuer     github',
      'subject    someone',
      'claims     repository_id: 123456',
      'databases  orders: migrator',
      "known by   GitHub Actions' OIDC token, audience jeton",
      "ignored    Vercel's OIDC token, audience jeton",
      '',
    ].join('\n'),
  })
  await job.close()
})

test('prints the same as JSON', async () => {
  const api = await startApi()
  const env = { JETON_API_KEY: api.apiKey, JETON_JWT: '', JETON_ID_TOKEN: someJwt(), TFC_RUN_ID: 'run-1' }
  const { stdout, exitCode } = await whoami(api, env, { output: 'json' })
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    principal: { issuer: 'apiKey', subject: 'nightly-report', claims: {} },
    databases: [{ name: 'orders', users: ['app_ro', 'app_rw'] }],
    identity: {
      description: 'the API key in JETON_API_KEY',
      ignored: ['the ID token in JETON_ID_TOKEN'],
    },
  })
})

test('says so if a caller has no grant', async () => {
  const api = await startApi()
  const jwt = await api.bearer({ repository_id: 'another' })
  const { stdout, exitCode } = await whoami(api, { JETON_JWT: jwt.replace('Bearer ', '') })
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^databases {2}none$/m)
})

test('shows what a refused JWT says of itself and what is wrong with it, and never its signature', async () => {
  const api = await startApi()
  const now = Math.floor(api.clock.now() / 1000)
  const header = await api.bearer({ aud: ['other', 'third'], iat: now - 4000, exp: now - 400 })
  const jwt = header.slice('Bearer '.length)
  const { stdout, stderr, exitCode } = await whoami(api, { JETON_JWT: jwt })
  expect(exitCode).toBe(3)
  expect(stdout).toBe(
    [
      `iss       ${api.issuer.url}`,
      'sub       someone',
      'aud       other',
      '          third',
      'issued    2026-11-23T08:53:20Z',
      'expires   2026-11-23T09:53:20Z',
      'known by  the JWT in JETON_JWT',
      '',
      'wrong: it expired 400 s ago: get a new one',
      "wrong: its audience is other, third, and not jeton: unless the server's issuer has it as its audience, it is refused",
      '',
    ].join('\n'),
  )
  expect(stderr).toMatch(
    /^jeton: .*\(unauthenticated, request id .*\); the credential is the JWT in JETON_JWT\n$/,
  )
  for (const secret of jwt.split('.')) expect(stdout + stderr).not.toContain(secret)
  expect(api.records).toMatchObject([{ decision: 'refused', code: 'unauthenticated' }])
})

test('shows the same as JSON, with the refusal', async () => {
  const api = await startApi()
  const env = { JETON_JWT: someJwt() }
  const { stdout, exitCode } = await whoami(api, env, { output: 'json' })
  expect(exitCode).toBe(3)
  expect(JSON.parse(stdout)).toEqual({
    principal: null,
    error: { code: 'unauthenticated', detail: expect.any(String), requestId: expect.any(String) },
    identity: { description: 'the JWT in JETON_JWT', ignored: [] },
    jwt: { audience: [], problems: [expect.stringContaining('not a JWT')] },
  })
})

test('has nothing to show of an API key that is refused', async () => {
  const api = await startApi()
  const { stdout, stderr, exitCode } = await whoami(api, { JETON_API_KEY: 'jeton_wrong' })
  expect([exitCode, stdout]).toEqual([3, 'known by  the API key in JETON_API_KEY\n'])
  expect(stderr).not.toContain('jeton_wrong')
})

test.each([
  ['a failure', problem(500, 'internal_error'), 1, 'internal_error'],
  ['a server that is busy', problem(503, 'temporarily_unavailable'), 4, 'temporarily_unavailable'],
  ['a reply of something else', { body: { principal: 'me' } }, 1, 'is this the URL of a jeton server?'],
])('prints what there is to know here, and the error, for %s', async (_what, answer, exitCode, message) => {
  const api = await startApiStub()
  api.answers = [answer]
  const { clock } = await startApi()
  const ended = await whoami({ clock, url: api.url }, { JETON_API_KEY: 'jeton_key' })
  const stdout = 'known by  the API key in JETON_API_KEY\n'
  expect(ended).toEqual({ exitCode, stdout, stderr: expect.stringContaining(message) })
  expect(api.requests).toMatchObject([{ method: 'GET', path: '/v1/whoami' }])
  await api.close()
})

test('says what the JWT says if the server cannot be reached', async () => {
  const api = await startApi()
  const jwt = (await api.bearer({ sub: 'someone' })).replace('Bearer ', '')
  const nobody = await startApiStub()
  await nobody.close()
  const { exitCode, stdout, stderr } = await whoami({ ...api, url: nobody.url }, { JETON_JWT: jwt })
  expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/^sub +someone$/m)])
  expect(stderr).toContain('ECONNREFUSED')
})

test('never prints the credential, though the server sends it back', async () => {
  const api = await startApiStub()
  const jwt = someJwt()
  const principal = { issuer: 'github', subject: jwt, claims: { [jwt]: jwt } }
  api.answers = [{ body: { principal, databases: [{ name: jwt, users: [jwt] }] } }]
  const { clock } = await startApi()
  for (const output of ['text', 'json']) {
    const { exitCode, stdout, stderr } = await whoami({ clock, url: api.url }, { JETON_JWT: jwt }, { output })
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).not.toContain(jwt)
  }
  await api.close()
})

test('escapes what would control a terminal', async () => {
  const api = await startApiStub()
  const principal = { issuer: 'a\u001b[2J', subject: '\u202eb', claims: { 'c\n': ['d\r'] } }
  api.answers = [{ body: { principal, databases: [{ name: 'o\n', users: ['u\u0007'] }] } }]
  const { clock } = await startApi()
  const { stdout } = await whoami({ clock, url: api.url }, { JETON_JWT: someJwt() })
  expect(stdout).toMatch(/^[ -~\n]+$/)
  expect(stdout).toContain('c\\n: ["d\\r"]')
  await api.close()
})

test('a refused token says which identity was used, and as whom the server took it', async () => {
  const api = await startApi()
  const job = await startJob(api, { repository_id: 'another' })
  const { streams, written } = recordStreams()
  const env = { JETON_URL: api.url, ...job.env }
  const exitCode = await tokenCommand({ database: 'orders' }, { ...streams, env, lookup, clock: api.clock })
  expect(exitCode).toBe(3)
  const [record] = api.records
  expect(record).toMatchObject({ decision: 'refused', code: 'access_denied' })
  expect(written.stderr).toContain(`access_denied, request id ${record?.requestId}, audit id ${record?.id}`)
  expect(written.stderr).toContain('you are "someone" of the issuer "github"')
  expect(written.stderr).toContain("the credential is GitHub Actions' OIDC token, audience jeton")
  await job.close()
})

test('waits for a platform that gives no JWT at the moment, and gets a new one for each attempt', async () => {
  const server = await startApiStub()
  const platform = await startApiStub()
  const jwts = [someJwt(), someJwt()]
  platform.answers = [{ status: 503 }, ...jwts.map(value => ({ body: { value } }))]
  server.answers = [
    problem(503, 'temporarily_unavailable'),
    { body: { principal: { issuer: 'github', subject: 'me', claims: {} }, databases: [] } },
  ]
  const { clock } = await startApi()
  const env = {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${platform.url}/?x=1`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
  }
  let exitCode: number | undefined
  void whoami({ clock, url: server.url }, env, { wait: '60' }).then(ended => {
    exitCode = ended.exitCode
  })
  while (exitCode === undefined) await clock.advance(500)
  expect(exitCode).toBe(0)
  expect(server.requests.map(({ authorization }) => authorization)).toEqual(jwts.map(jwt => `Bearer ${jwt}`))
  await server.close()
  await platform.close()
})

test('runs as a command in a job, with the program of the platform', async () => {
  const api = await startApi()
  const folder = await mkdtemp(join(tmpdir(), 'whoami-'))
  const jwt = (await api.bearer()).replace('Bearer ', '')
  await writeFile(join(folder, 'circleci'), `#!/bin/sh\necho ${jwt}\n`, { mode: 0o755 })
  const env = { JETON_URL: api.url, CIRCLECI: 'true', PATH: `${folder}:${process.env.PATH}` }
  const { code, stdout, stderr } = await runCli(['whoami'], { env })
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^subject {4}someone$/m)
  expect(stdout).toMatch(/^known by {3}CircleCI's OIDC token, audience jeton$/m)
  expect(stdout).not.toContain(jwt)
  await rm(folder, { recursive: true })
})

test('runs as a command', async () => {
  const api = await startApi()
  const { code, stdout, stderr } = await runCli(['whoami', '-o', 'json'], {
    env: { JETON_URL: api.url, JETON_API_KEY: api.apiKey },
  })
  expect([code, stderr]).toEqual([0, ''])
  expect(JSON.parse(stdout).principal.subject).toBe('nightly-report')
  const wrong = await runCli(['whoami', '-o', 'yaml'], { env: { JETON_URL: api.url } })
  expect(wrong).toEqual({ code: 2, stdout: '', stderr: 'jeton: -o takes one of text, json\n' })
})
