import { createHash } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { percentEncode } from '../../src/client/forms/percent-encoding.ts'
import { type GithubJob, startGithubJob } from '../support/oidc/github.ts'
import { ACTION, type GithubRunner, startGithubRunner } from '../support/platforms/github-runner.ts'
import {
  type ApiStub,
  PEM,
  problem,
  sampleReply,
  someJwt,
  startApiStub,
} from '../support/service/api-stub.ts'

/** The built action, run as a runner runs it, against a server with made-up answers. */
let api: ApiStub
let job: GithubJob
let jwts: string[]
let runner: GithubRunner

beforeEach(async () => {
  api = await startApiStub()
  jwts = []
  job = await startGithubJob(async () => {
    jwts.push(someJwt())
    return jwts.at(-1) ?? ''
  })
  runner = await startGithubRunner({ env: job.env })
})
afterEach(async () => {
  await Promise.all([api.close(), job.close(), runner.close()])
})

const inputs = (more: Record<string, string> = {}) => ({ url: api.url, database: 'orders', ...more })
const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
const foldersLeft = async () => (await readdir(runner.temp)).filter(name => name.startsWith('jeton-'))

describe('a token', () => {
  test('is masked before anything else is printed, and is in no other line of the log', async () => {
    const reply = sampleReply()
    api.answers = [{ body: reply }]
    const { code, printed, log } = await runner.uses(inputs({ export: 'env', token: 'true' }))
    expect(code).toBe(0)
    const lines = printed.trimEnd().split('\n')
    const isMask = lines.map(line => line.startsWith('::add-mask::'))
    expect(isMask.lastIndexOf(true)).toBe(isMask.filter(Boolean).length - 1)
    expect(lines).toContain(`::add-mask::${reply.token.replaceAll('%', '%25')}`)
    const signature = /X-Amz-Signature=(\w+)/.exec(reply.token)?.[1] ?? ''
    expect(lines.filter(line => line.includes(signature) && !line.startsWith('::add-mask::'))).toEqual([])
    expect(log).toContain("known by GitHub Actions' OIDC token, audience jeton")
    for (const jwt of jwts) expect(printed).not.toContain(jwt)
  })

  test('lies in a private folder alone, to which settings lead', async () => {
    const reply = sampleReply({ dbname: 'shop', fingerprint: 'a'.repeat(64), auditId: 'audit-1' })
    api.answers = [{ body: reply }]
    const { outputs } = await runner.uses(inputs())
    const folder = dirname(outputs['ca-file'] ?? '')
    expect(dirname(folder)).toBe(runner.temp)
    expect(await mode(folder)).toBe('700')
    for (const name of ['ca.pem', 'pgpass']) expect(await mode(join(folder, name))).toBe('600')
    expect(await readFile(join(folder, 'pgpass'), 'utf8')).toContain(reply.token.replaceAll(':', '\\:'))
    expect(await readFile(join(folder, 'ca.pem'), 'utf8')).toBe(PEM)
    expect(outputs).toEqual({
      ...{ database: 'orders', engine: 'postgres', host: reply.host, port: '5432', user: 'app_ro' },
      ...{ dbname: 'shop', 'expires-at': reply.expiresAt },
      ...{ fingerprint: 'a'.repeat(64), 'audit-id': 'audit-1' },
      ...{ 'ca-file': join(folder, 'ca.pem'), 'pgpass-file': join(folder, 'pgpass') },
    })
    expect(runner.env).toEqual({
      ...job.env,
      ...{ JETON_URL: api.url, JETON_AUDIENCE: 'jeton' },
      DATABASE_URL: `postgresql://app_ro@${reply.host}:5432/shop?sslmode=verify-full&sslrootcert=${percentEncode(join(folder, 'ca.pem'))}`,
      ...{ PGHOST: reply.host, PGPORT: '5432', PGUSER: 'app_ro', PGDATABASE: 'shop' },
      ...{ PGSSLMODE: 'verify-full', PGSSLROOTCERT: join(folder, 'ca.pem') },
      PGPASSFILE: join(folder, 'pgpass'),
    })
  })

  test.each(['mysql', 'mariadb'])('of %s lies in option files', async engine => {
    const reply = sampleReply({ engine })
    api.answers = [{ body: reply }]
    const { outputs } = await runner.uses(inputs())
    for (const name of ['mysql', 'mariadb'] as const) {
      const path = outputs[`${name}-options-file`] ?? ''
      expect(await readFile(path, 'utf8')).toContain(`password="${reply.token}"`)
      expect([await mode(path), await mode(dirname(path))]).toEqual(['600', '700'])
      expect(runner.env[`${name.toUpperCase()}_HOME`]).toBe(dirname(path))
    }
    expect(JSON.stringify(runner.env)).not.toContain('X-Amz-Signature')
  })

  test.each([
    ['export: env', { export: 'env' }, ['PGPASSWORD', 'DATABASE_URL'], false],
    ['token: true', { export: 'none', token: 'true' }, [], true],
    ['export: none', { export: 'none' }, [], false],
  ])('becomes a variable or an output only with %s', async (_, more, variables, isOutput) => {
    const reply = sampleReply()
    api.answers = [{ body: reply }]
    const { outputs } = await runner.uses(inputs(more))
    const withToken = Object.entries(runner.env).filter(([, value]) => value.includes('X-Amz-Signature'))
    expect(withToken.map(([name]) => name).sort()).toEqual([...variables].sort())
    expect(outputs.token).toBe(isOutput ? reply.token : undefined)
    if (more.export === 'none')
      expect(runner.env).toEqual({ ...job.env, JETON_URL: api.url, JETON_AUDIENCE: 'jeton' })
  })
})

test('each output is described in action.yml', async () => {
  const names = new Set<string>()
  for (const engine of ['postgres', 'mysql']) {
    const about = { dbname: 'shop', connect: 'localhost:1', fingerprint: 'a'.repeat(64), auditId: 'a' }
    api.answers = [{ body: sampleReply({ engine, ...about }) }]
    const { outputs } = await runner.uses(inputs({ token: 'true' }))
    for (const name of Object.keys(outputs)) names.add(name)
  }
  expect([...names].sort()).toEqual(Object.keys(ACTION.outputs).sort())
})

test('each attempt has a JWT of its own, for the audience that is asked for', async () => {
  const busy = { ...problem(503, 'temporarily_unavailable'), headers: { 'retry-after': '1' } }
  api.answers = [busy, { body: sampleReply() }]
  const { code, log } = await runner.uses(inputs({ audience: 'https://jeton.example.com/?a=b&c' }))
  expect(code).toBe(0)
  expect(api.requests.map(({ authorization }) => authorization)).toEqual(jwts.map(jwt => `Bearer ${jwt}`))
  expect(new Set(jwts).size).toBe(2)
  expect(job.audiences).toEqual(Array(2).fill('https://jeton.example.com/?a=b&c'))
  expect(log).toContain('the server asks to wait 1 s')
})

describe('post', () => {
  test('removes the files', async () => {
    api.answers = [{ body: sampleReply() }]
    await runner.uses(inputs())
    await runner.uses(inputs())
    expect(await foldersLeft()).toHaveLength(2)
    expect((await runner.finish()).map(({ code }) => code)).toEqual([0, 0])
    expect(await foldersLeft()).toEqual([])
  })

  test('removes them after a refusal, too, and requests nothing', async () => {
    api.answers = [problem(403, 'access_denied')]
    expect((await runner.uses(inputs())).code).toBe(1)
    const requests = api.requests.length
    const [post] = await runner.finish()
    expect(post?.code).toBe(0)
    expect(await foldersLeft()).toEqual([])
    expect(api.requests).toHaveLength(requests)
  })

  test('does nothing if nothing was made', async () => {
    const { code } = await runner.uses(inputs({ url: '' }))
    expect(code).toBe(1)
    expect(await runner.finish()).toEqual([{ code: 0, printed: '', log: '', outputs: {} }])
  })

  test('requests nothing if the step was cancelled before it had begun', async () => {
    expect(await runner.post(inputs(), {})).toEqual({ code: 0, printed: '', log: '', outputs: {} })
    expect(api.requests).toEqual([])
    expect(await foldersLeft()).toEqual([])
  })

  test('removes nothing but such a folder of the runner', async () => {
    const precious = join(runner.temp, 'precious')
    await writeFile(precious, 'x')
    for (const folder of [precious, dirname(runner.temp), `${runner.temp}/jeton-x/../precious`, '/']) {
      const { code, log } = await runner.post(inputs(), { folder })
      expect({ code, log }).toMatchObject({ code: 1, log: expect.stringContaining('it stays') })
    }
    expect(await readFile(precious, 'utf8')).toBe('x')
  })
})

describe('a failure is an error of the step, with what to do', () => {
  test('a refusal, with whom the server took the job for, and the identity that was used', async () => {
    const principal = { issuer: 'github', subject: 'repo:acme/orders:ref:refs/heads/main' }
    api.answers = [
      problem(403, 'access_denied', { detail: '100% no\n::set-env::', principal, auditId: 'a-1' }),
    ]
    const { code, printed } = await runner.uses(inputs())
    expect(code).toBe(1)
    expect(printed.trimEnd().split('\n')).toHaveLength(1)
    expect(printed).toMatch(/^::error title=jeton::jeton: 100%25 no\\n::set-env::/)
    expect(printed).toContain('you are "repo:acme/orders:ref:refs/heads/main" of the issuer "github"')
    expect(printed).toContain("the credential is GitHub Actions' OIDC token, audience jeton")
    expect(printed).toContain('audit id a-1')
  })

  test('a job without the permission', async () => {
    const other = await startGithubRunner({ env: { GITHUB_ACTIONS: 'true' } })
    const { code, log } = await other.uses(inputs())
    await other.close()
    expect(code).toBe(1)
    expect(log).toContain('add `permissions: id-token: write` to the job or the workflow')
    expect(api.requests).toEqual([])
  })

  test.each(['RUNNER_TEMP', 'GITHUB_STATE', 'GITHUB_ENV', 'GITHUB_PATH'])('no %s', async name => {
    const other = await startGithubRunner({ env: job.env, without: [name] })
    const { code, log } = await other.uses(inputs())
    await other.close()
    expect({ code, log }).toMatchObject({ code: 1, log: expect.stringContaining(`${name} is not set`) })
    expect(api.requests).toEqual([])
  })

  test.each([
    ['url', 'http://jeton.example.com', 'https'],
    ['ca', '/nowhere/ca.pem', 'cannot read the CA bundle'],
    ['server-ca', '/nowhere/ca.pem', 'the input server-ca'],
  ])('the input %s is %j', async (name, value, message) => {
    api.answers = [{ body: sampleReply() }]
    const { code, log } = await runner.uses(inputs({ [name]: value }))
    expect({ code, log }).toMatchObject({ code: 1, log: expect.stringContaining(message) })
  })
})

describe('nobody sets what only the action may set', () => {
  test('by a line break in an input', async () => {
    const { code, log } = await runner.uses(inputs({ user: 'x\nLD_PRELOAD=/tmp/evil.so\n' }))
    expect({ code, log }).toMatchObject({ code: 1, log: expect.stringContaining('has a line break') })
    expect(runner.env).toEqual(job.env)
    expect(api.requests).toEqual([])
  })

  test.each([
    ['dbname', 'shop\nLD_PRELOAD=/tmp/evil.so'],
    ['connect', 'localhost:1\n::add-path::/tmp'],
    ['user', 'app\u2028ro'],
    ['auditId', 'x\r\n##[set-output name=host]evil'],
  ])('by control characters in the reply’s %s', async (name, value) => {
    api.answers = [{ body: sampleReply({ [name]: value }) }]
    const { code, printed } = await runner.uses(inputs())
    expect(code).toBe(1)
    expect(printed).toMatch(/^::error title=jeton::.*\n$/)
    expect(runner.env).toEqual({ ...job.env, JETON_URL: api.url, JETON_AUDIENCE: 'jeton' })
  })

  test('by the name of a database, which arrives as it is', async () => {
    const dbname = `$(touch x)'"; host=evil <<EOF % \\ jeton-`
    api.answers = [{ body: sampleReply({ dbname }) }]
    const { outputs } = await runner.uses(inputs())
    expect(outputs.dbname).toBe(dbname)
    expect(runner.env.PGDATABASE).toBe(dbname)
  })

  test('by a text of the server that runners take for a command', async () => {
    const detail = '##[set-output name=host]evil'
    api.answers = [
      { ...problem(503, 'temporarily_unavailable', { detail }), headers: { 'retry-after': '1' } },
      { body: sampleReply({ user: '##[add-path]/tmp' }) },
    ]
    const { code, printed } = await runner.uses(inputs())
    expect(code).toBe(0)
    expect(printed).toContain('# # [set-output name=host]evil')
    expect(printed).not.toContain('##[')
  })

  test('by guessing a delimiter: each is new', async () => {
    const delimiters = async () => {
      api.answers = [{ body: sampleReply() }]
      const files: string[] = []
      const { printed } = await runner.uses(inputs())
      for (const id of await readdir(join(runner.temp, '_runner_file_commands')))
        files.push(await readFile(join(runner.temp, '_runner_file_commands', id, 'ENV'), 'utf8'))
      expect(printed).not.toMatch(/<<jeton-/)
      return [...files.join('').matchAll(/^\w+<<(jeton-.+)$/gm)].map(([, text = '']) => text)
    }
    await delimiters()
    const all = await delimiters()
    expect(all.length).toBeGreaterThan(15)
    expect(new Set(all).size).toBe(all.length)
  })
})

describe('a variable of the job that would mislead the login', () => {
  test('is made up for', async () => {
    const other = await startGithubRunner({
      env: {
        ...job.env,
        PGHOSTADDR: '192.0.2.1',
        PGCHANNELBINDING: 'require',
        PGPASSWORD: 'old',
        PGAPPNAME: 'me',
      },
    })
    api.answers = [{ body: sampleReply() }]
    await other.uses(inputs())
    const { PGHOSTADDR, PGCHANNELBINDING, PGPASSWORD, PGAPPNAME } = other.env
    await other.close()
    expect([PGHOSTADDR, PGCHANNELBINDING, PGPASSWORD, PGAPPNAME]).toEqual(['', 'prefer', '', 'me'])
  })

  test('or, if nothing can make up for it, refused', async () => {
    const other = await startGithubRunner({ env: { ...job.env, PGSERVICE: 'mine' } })
    api.answers = [{ body: sampleReply() }]
    const refused = await other.uses(inputs())
    const alone = await other.uses(inputs({ export: 'none' }))
    await other.close()
    expect(refused.code).toBe(1)
    expect(refused.log).toContain('this job sets PGSERVICE')
    expect(alone.code).toBe(0)
    expect(other.env.PGHOST).toBeUndefined()
  })
})

test('what lib/pq refuses to start with is set only if the job has set it', async () => {
  const other = await startGithubRunner({ env: { ...job.env, PGGSSENCMODE: 'require' } })
  api.answers = [{ body: sampleReply() }]
  await other.uses(inputs({ export: 'env' }))
  const { PGGSSENCMODE, PGSSLCERTMODE } = other.env
  await other.close()
  expect([PGGSSENCMODE, PGSSLCERTMODE]).toEqual(['disable', undefined])
})

test('a second login asks for the audience of its own, whatever the first had', async () => {
  api.answers = [{ body: sampleReply() }]
  await runner.uses(inputs({ audience: 'other' }))
  await runner.uses(inputs())
  expect(job.audiences).toEqual(['other', 'jeton'])
})

describe('the command jeton', () => {
  test('is there for the steps that follow, with the same server and audience', async () => {
    api.answers = [{ body: sampleReply() }]
    const { code, log } = await runner.uses({ url: api.url, audience: 'other' })
    expect({ code, log }).toMatchObject({ code: 0, log: expect.stringContaining('no token was requested') })
    expect(api.requests).toEqual([])
    const ran = await runner.run('jeton exec orders -- sh -c \'echo "$PGUSER, $1"; exit 3\' sh "a b"')
    expect(ran).toMatchObject({ code: 3, stdout: 'app_ro, a b\n' })
    expect(job.audiences).toEqual(['other'])
    expect(api.requests).toHaveLength(1)
  })

  test('trusts the CA that the action was given as a PEM', async () => {
    const pem = await readFile(new URL('../../node_modules/typescript/package.json', import.meta.url), 'utf8')
      .then(text => createHash('sha256').update(text).digest('base64'))
      .then(text => `# a remark\n-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`)
    const { code, log } = await runner.uses(inputs({ 'server-ca': pem }))
    expect({ code, log }).toMatchObject({ code: 1, log: expect.stringContaining('certificate 1 in') })
    expect(await readFile(runner.env.JETON_CACERT ?? '', 'utf8')).toBe(`${pem}\n`)
  })
})
