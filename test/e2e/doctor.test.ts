import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { databaseUserArn } from '../../src/rds/database.ts'
import { signToken } from '../../src/tokens/sign.ts'
import { tokenKey } from '../../src/tokens/token-key.ts'
import { mintWithAws, ROLE_ARN } from '../support/aws/mint-token.ts'
import { canRun } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'
import {
  type ApiStub,
  problem,
  type StubAnswer,
  sampleReply,
  someJwt,
  startApiStub,
} from '../support/service/api-stub.ts'
import { CLI, type Jeton, runCli, startJeton } from '../support/service/jeton.ts'
import {
  CLAIMS,
  LEDGER,
  startTestEnvironment,
  type TestEnvironment,
} from '../support/service/test-environment.ts'
import { hasTerminals, runInTerminal } from '../support/terminal.ts'

const canLogIn = await canRun(['postgres', 'mariadb'])

interface Reported {
  result: string
  means?: string
  remedies?: string[]
  steps: { step: string; result: string; detail?: string; code?: string }[]
}

const sessionPolicy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: databaseUserArn(ORDERS, 'migrator') }],
}

/** The token is a password: a command that prints it has a bug, whatever else it does. */
const tokens = new Set<string>()

async function doctor(args: readonly string[], env: Record<string, string>) {
  const ended = await runCli(['doctor', ...args], { env })
  for (const token of tokens) expect(ended.stdout + ended.stderr).not.toContain(token)
  return ended
}

describe.runIf(canLogIn)('jeton doctor', () => {
  let environment: TestEnvironment
  let api: ApiStub
  beforeAll(async () => {
    environment = await startTestEnvironment({ databases: ['postgres', 'mariadb'] })
    api = await startApiStub()
  })
  afterAll(async () => {
    await api?.close()
    await environment?.close()
  })

  const port = () => environment.postgres?.port ?? 0

  async function orders(user = 'migrator', overrides: Record<string, unknown> = {}) {
    const token = await mintWithAws({ sts: environment.sts, endpoint: ORDERS, user })
    tokens.add(token)
    const ca = { pem: environment.authority.caPem }
    return sampleReply({ token, user, dbname: 'orders', connect: `127.0.0.1:${port()}`, ca, ...overrides })
  }

  async function ledger(user = 'app_rw', overrides: Record<string, unknown> = {}) {
    const { host, port: signedPort } = LEDGER
    const token = await mintWithAws({ sts: environment.sts, endpoint: LEDGER, user })
    tokens.add(token)
    const connect = `127.0.0.1:${environment.mariadb?.port}`
    const ca = { pem: environment.authority.caPem }
    return sampleReply({ token, user, host, port: signedPort, engine: 'mariadb', connect, ca, ...overrides })
  }

  /** What it reports of replies of jeton that a stand-in sends. */
  async function examine(...replies: (StubAnswer | { token: string })[]) {
    api.answers = replies.map(answer => ('token' in answer ? { body: answer } : answer))
    const env = { JETON_URL: api.url, JETON_JWT: someJwt() }
    const { code, stdout, stderr } = await doctor(['orders', '-o', 'json'], env)
    expect(stderr).toBe('')
    const report = JSON.parse(stdout) as Reported
    const failed = report.steps.find(({ result }) => result === 'failed')
    return { code, report, failed, steps: report.steps.map(({ step, result }) => `${step} ${result}`) }
  }

  describe('with a real server', () => {
    let jeton: Jeton
    beforeAll(async () => {
      jeton = await startJeton({
        config: environment.config(),
        env: environment.serverEnv,
        folder: environment.folder,
      })
    })
    afterAll(() => jeton?.close())

    const env = async (claims: object = CLAIMS) => ({
      JETON_URL: jeton.url,
      JETON_JWT: await environment.issuer.sign({ sub: 'repo:acme/orders', ...claims }),
    })

    test('goes the whole way to PostgreSQL, a row for each step', async () => {
      const { code, stdout, stderr } = await doctor(['orders', '--ca', environment.caFile], await env())
      expect([code, stderr]).toEqual([0, ''])
      const rows = stdout.split('\n')
      expect(rows).toEqual([
        expect.stringMatching(
          /^identity {2}ok {9} {2} +\d+ ms {2}.*JWT.*: subject repo:acme\/orders; issuer http:\/\/127\S+$/,
        ),
        expect.stringMatching(/^token .* for migrator at orders\.c9\S+:5432, good for 1[45] min$/),
        expect.stringMatching(/^dns .* 127\.0\.0\.1 is an address$/),
        expect.stringMatching(/^tcp .* connected to 127\.0\.0\.1, port \d+$/),
        expect.stringMatching(
          /^tls .* TLSv1\.3; certificate for orders\.c9\S+com, issued by jeton test CA \w+, good until 20\d\d-\d\d-\d\d$/,
        ),
        expect.stringMatching(/^login .* as migrator$/),
        expect.stringMatching(/^query .* current_user is migrator$/),
        '',
        'all is well: jeton and the database accept this caller',
        '',
      ])
    })

    test('and to MariaDB', async () => {
      const args = ['ledger', '--ca', environment.caFile, '-o', 'json']
      const { code, stdout, stderr } = await doctor(args, await env())
      expect([code, stderr]).toEqual([0, ''])
      const report = JSON.parse(stdout) as Reported
      expect(report.result).toBe('ok')
      expect(report.steps.at(-1)).toMatchObject({ step: 'query', detail: 'current_user is app_rw@%' })
    })

    test('stops where jeton refuses, with its exit code', async () => {
      const { code, stdout } = await doctor(['orders'], await env({ ref: 'refs/heads/other' }))
      expect(code).toBe(3)
      expect(stdout).toMatch(/^identity {2}ok /)
      expect(stdout).toMatch(
        /^token {5}failed .*\(access_denied, request id \S+, audit id \S+\); you are "repo:acme\/orders" of /m,
      )
      expect(stdout).toMatch(/^query {5}not tried$/m)
      expect(stdout).toContain('jeton explain')
    })
  })

  test('says what looks wrong with a JWT that jeton does not accept', async () => {
    const claims = { iss: 'https://issuer.example.com', sub: 'me', aud: 'other', exp: 1 }
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const jwt = [part({ alg: 'RS256' }), part(claims), 'c2ln'].join('.')
    api.answers = [problem(401, 'unauthenticated')]
    const { code, stdout } = await doctor(['orders', '-o', 'json'], { JETON_URL: api.url, JETON_JWT: jwt })
    const report = JSON.parse(stdout) as Reported
    expect([code, report.means]).toEqual([3, 'jeton did not accept the credential'])
    expect(report.remedies?.slice(0, 2)).toEqual([
      expect.stringMatching(/^it expired \d+ s ago/),
      expect.stringMatching(/^its audience is other, and not jeton/),
    ])
    expect(stdout).not.toContain('c2ln')
  })

  test('of an API key that jeton does not accept, it says nothing about a JWT', async () => {
    api.answers = [problem(401, 'unauthenticated', { auditId: 'record-7' })]
    const { code, stdout } = await doctor(['orders', '-o', 'json'], {
      JETON_URL: api.url,
      JETON_API_KEY: 'k',
    })
    expect([code, (JSON.parse(stdout) as Reported).remedies]).toEqual([
      3,
      [
        'the API key may be mistyped, or no longer in the configuration of jeton',
        'an operator finds the reason in the record: `jeton audit query --id record-7`',
      ],
    ])
  })

  test('the credential is missing, jeton is not there, and jeton is busy', async () => {
    expect((await doctor(['orders'], { JETON_URL: api.url })).code).toBe(2)
    const away = await doctor(['orders'], { JETON_URL: 'http://127.0.0.1:1', JETON_JWT: someJwt() })
    expect([away.code, away.stdout]).toEqual([1, expect.stringMatching(/^token {5}failed .*ECONNREFUSED/m)])
    const busy = await examine(problem(429, 'throttled'))
    expect([busy.code, busy.failed?.code]).toEqual([4, 'throttled'])
  })

  describe('says at which step, and why:', () => {
    test('a name without an address', async () => {
      const { code, steps, failed, report } = await examine(
        await orders('migrator', { connect: 'no-such-host.invalid:5432' }),
      )
      expect([code, steps.slice(2, 4)]).toEqual([1, ['dns failed', 'tcp not tried']])
      expect(failed?.code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/)
      expect(report.means).toMatch(/leads to no address|^DNS does not answer/)
    })

    test('a port where nothing listens', async () => {
      const { code, steps, failed, report } = await examine(
        await orders('migrator', { connect: '127.0.0.1:1' }),
      )
      expect([code, steps.slice(3, 5)]).toEqual([1, ['tcp failed', 'tls not tried']])
      expect([failed?.code, report.means]).toEqual([
        'ECONNREFUSED',
        'the machine is there, and nothing listens at this port',
      ])
    })

    test.each([['PostgreSQL'], ['MariaDB']])(
      'another CA than that of the %s, which gets no token',
      async server => {
        const ca = { pem: createAuthority().caPem }
        const reply = server === 'MariaDB' ? await ledger('app_rw', { ca }) : await orders('migrator', { ca })
        const logins = () => [...(environment.postgres?.logins ?? []), ...(environment.mariadb?.logins ?? [])]
        const before = logins().length
        const { code, steps, failed, report } = await examine(reply)
        expect([code, steps.slice(4, 6)]).toEqual([1, ['tls failed', 'login not tried']])
        expect(failed?.detail).toMatch(
          /^the server’s certificate does not verify; certificate for .*, issued by jeton test CA \w+, good until .* \((UNABLE_TO_\w+|SELF_SIGNED\w+|DEPTH_ZERO\w+)\)$/,
        )
        expect(report.means).toContain('The token was not sent')
        expect(logins()).toHaveLength(before)
      },
    )

    test('a certificate for another name', async () => {
      const host = 'other.c9akciq32xyz.us-east-1.rds.amazonaws.com'
      const { steps, failed, report } = await examine(await orders('migrator', { host }))
      expect(steps.slice(4, 6)).toEqual(['tls failed', 'login not tried'])
      expect([failed?.code, failed?.detail]).toEqual([
        'ERR_TLS_CERT_ALTNAME_INVALID',
        expect.stringContaining(`certificate for ${ORDERS.host}`),
      ])
      expect(report.means).toContain('another server answers')
    })

    test.each(['PostgreSQL', 'MariaDB'])('an account of %s with a password of its own', async server => {
      const reply = server === 'MariaDB' ? await ledger('no_rds_iam') : await orders('no_rds_iam')
      const { code, steps, report, failed } = await examine(reply)
      expect([code, steps.slice(5)]).toEqual([1, ['login failed', 'query not tried']])
      expect(failed?.detail).toMatch(
        server === 'MariaDB'
          ? /^Access denied for user 'no_rds_iam'.*, before it asked for a token \(1045\)$/
          : /^the server asks for a SCRAM password and not for a token$/,
      )
      expect(report.remedies?.join()).toContain('jeton sql DATABASE')
      expect(api.requests.at(-1)?.body).not.toContain('refused')
    })

    test('a database that is not there, or not for the user', async () => {
      const missing = await examine(await orders('migrator', { dbname: 'nowhere' }))
      expect(missing.failed).toMatchObject({
        step: 'login',
        code: '3D000',
        detail: '3D000: database "nowhere" does not exist',
      })
      const missingToo = await examine(await ledger('app_rw', { dbname: 'nowhere' }))
      expect(missingToo.failed).toMatchObject({ step: 'login', code: expect.stringMatching(/^10(44|49)$/) })
      expect(missingToo.report.means).toContain('the token was accepted')
    })
  })

  describe('reports a token that the database refuses, once:', () => {
    /** As by software that cuts passwords. */
    const cut = (reply: Awaited<ReturnType<typeof orders>>) => ({
      ...reply,
      token: reply.token.slice(0, 1000),
    })

    /** A token that jeton would have signed 16 minutes ago, with a role session that still lasts. */
    async function expired() {
      const { url, credentials } = environment.sts
      const sts = new STSClient({ region: 'us-east-1', endpoint: url, credentials, maxAttempts: 1 })
      const { Credentials } = await sts.send(
        new AssumeRoleCommand({
          RoleArn: ROLE_ARN,
          RoleSessionName: 'orders.migrator',
          Policy: JSON.stringify(sessionPolicy),
        }),
      )
      sts.destroy()
      const session = {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
        expiresAt: Date.now() + 3_600_000,
        identity: ROLE_ARN,
      }
      const key = tokenKey({ database: ORDERS, user: 'migrator' })
      const { text } = await signToken(key, { session, at: Date.now() - 16 * 60_000 })
      tokens.add(text)
      return { ...(await orders()), token: text }
    }

    test('one that has expired, and says that the next one is accepted', async () => {
      const bad = await expired()
      const before = environment.postgres?.logins.length
      const { code, report } = await examine(bad, await orders())
      expect([code, report.result]).toEqual([0, 'ok'])
      expect(report.steps.find(({ step }) => step === 'login')?.detail).toBe(
        'as migrator, with the next token only: the first was refused (LDAP authentication failed for user "migrator"), and is now reported to jeton',
      )
      expect(JSON.parse(api.requests.at(-1)?.body ?? '')).toMatchObject({
        database: 'orders',
        refused: sha256Hex(bad.token),
      })
      const logins = environment.postgres?.logins.slice(before)
      expect(logins?.map(({ result }) => result.reason)).toEqual(['token expired', undefined])
    })

    test('or refused as well, by PostgreSQL', async () => {
      const { code, failed, report } = await examine(
        cut(await orders()),
        cut(await orders('migrator', { expiresIn: 9 })),
      )
      expect([code, failed?.step, failed?.code]).toEqual([1, 'login', '28000'])
      expect(failed?.detail).toMatch(
        /^28000: LDAP authentication failed .*; reported to jeton, whose next token was refused, too$/,
      )
      expect(report.means).toContain('RDS did not accept the token')
      expect(report.remedies?.[0]).toContain('rds-db:connect')
    })

    test('or refused as well, by MariaDB', async () => {
      const { failed, report } = await examine(cut(await ledger()), cut(await ledger()))
      expect([failed?.step, failed?.code]).toEqual(['login', '1045'])
      expect(failed?.detail).toContain("Access denied for user 'app_rw'@'127.0.0.1'")
      expect(failed?.detail).toContain('(using password: NO)')
      expect(report.means).toContain('misleading')
    })

    test('or not to be had', async () => {
      const { failed } = await examine(cut(await orders()), problem(429, 'throttled'))
      expect(failed?.detail).toContain('reported to jeton, which has no other token yet: why: throttled')
    })
  })

  test.each([
    [['-o', 'yaml'], 'jeton: -o takes one of text, json\n'],
    [['--timeout', 'soon'], 'jeton: --timeout takes a number of seconds\n'],
  ])('%j is a usage error', async (args, words) => {
    const { code, stdout, stderr } = await runCli(['doctor', 'orders', ...args], {
      env: { JETON_URL: api.url },
    })
    expect([code, stdout, stderr]).toEqual([2, '', words])
  })

  describe.runIf(hasTerminals)('on a terminal', () => {
    async function shown(env: Record<string, string>) {
      api.answers = [{ body: await orders('migrator', { connect: '127.0.0.1:1' }) }]
      const command = `${process.execPath} ${CLI} doctor orders; echo "exit $?"`
      const own = { JETON_URL: api.url, JETON_JWT: someJwt() }
      return (await runInTerminal(command, { env: { ...own, ...env } })).stdout
    }

    test('the step that runs is shown, then its row with a mark and colours', async () => {
      const text = await shown({})
      expect(text).toContain('  identity …\r\u001b[32m✓\u001b[39m identity  \u001b[32mok')
      expect(text).toContain('  tcp …\r\u001b[31m✗\u001b[39m tcp')
      expect(text).toContain('exit 1')
    })

    test('without colours, the same words', async () => {
      const text = await shown({ NO_COLOR: '1' })
      expect(text).toContain('\r✗ tcp       failed')
      expect(text).toContain('What to do, the likeliest first:')
      expect(text).not.toContain('\u001b')
    })
  })
})
