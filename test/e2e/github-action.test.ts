import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loginVariables, POSTGRES_VARIABLES } from '../../src/client/client-variables.ts'
import { canRun } from '../support/databases/install.ts'
import { type GithubJob, startGithubJob } from '../support/oidc/github.ts'
import { type GithubRunner, startGithubRunner } from '../support/platforms/github-runner.ts'
import { type Jeton, startJeton } from '../support/service/jeton.ts'
import { CLAIMS, startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'

const PSQL = `psql -wAtc "select current_user || ' ' || ssl from pg_stat_ssl where pid = pg_backend_pid()"`
const MARIADB = `mariadb -NBe 'select current_user()'`

/** Values that fail a login: most of them end it before a connection is made. */
const MISLEADING = Object.fromEntries(
  loginVariables(POSTGRES_VARIABLES)
    .filter(name => name !== 'PGSERVICE')
    .map(name => [name, 'nonsense']),
)

/** The built action and the steps after it, in a job whose JWTs the server's issuer signs; server and databases are real. */
const canLogIn = await canRun(['postgres', 'psql', 'mariadb', 'mariadb-client'])
describe.runIf(canLogIn)('after the action, a step logs in', () => {
  let environment: TestEnvironment
  let jeton: Jeton
  let job: GithubJob
  let runners: GithubRunner[]

  beforeAll(async () => {
    runners = []
    environment = await startTestEnvironment({ databases: ['postgres', 'mariadb'] })
    jeton = await startJeton({
      config: environment.config(),
      env: environment.serverEnv,
      folder: environment.folder,
    })
    job = await startGithubJob(async audience =>
      environment.issuer.sign({ sub: 'repo:acme/orders', ...CLAIMS, aud: audience }),
    )
  })
  afterAll(async () => {
    await Promise.all([...(runners ?? []).map(runner => runner.close()), job?.close(), jeton?.close()])
    await environment?.close()
  })

  async function startJob(env: Readonly<Record<string, string>> = {}): Promise<GithubRunner> {
    const runner = await startGithubRunner({ env: { ...job.env, HOME: '/nowhere', ...env } })
    runners.push(runner)
    return runner
  }
  const inputs = (database: string, more: object = {}) => ({
    ...{ url: jeton.url, database, ca: environment.caFile },
    ...more,
  })

  test.each(['pgpass', 'env'])(
    'with psql and export: %s, whatever the job has set before',
    async exported => {
      const runner = await startJob(MISLEADING)
      const { code, log } = await runner.uses(inputs('orders', { export: exported }))
      expect({ code, log }).toMatchObject({ code: 0, log: expect.stringContaining('migrator may log in') })
      expect(await runner.run(PSQL)).toEqual({ code: 0, stdout: 'migrator true\n', stderr: '' })
      expect(await runner.run(PSQL.replace('psql', 'psql "$DATABASE_URL"'))).toMatchObject({ code: 0 })
      expect((await runner.finish()).map(post => post.code)).toEqual([0])
      if (exported === 'pgpass') expect((await runner.run(PSQL)).code).not.toBe(0)
    },
  )

  test('with mariadb', async () => {
    const runner = await startJob({
      MYSQL_PWD: 'old',
      MARIADB_GROUP_SUFFIX: 'x',
      MYSQL_UNIX_PORT: '/nowhere',
    })
    expect(await runner.uses(inputs('ledger'))).toMatchObject({ code: 0 })
    expect(await runner.run(MARIADB)).toEqual({ code: 0, stdout: 'app_rw@%\n', stderr: '' })
    expect(await runner.finish()).toMatchObject([{ code: 0 }])
  })

  test('with outputs alone', async () => {
    const runner = await startJob()
    const { outputs } = await runner.uses(inputs('orders', { export: 'none' }))
    const hostaddr = (outputs.connect ?? '').split(':')
    const words = `host=${outputs.host} hostaddr=${hostaddr[0]} port=${hostaddr[1]} user=${outputs.user} dbname=${outputs.dbname} sslmode=verify-full sslrootcert=${outputs['ca-file']} passfile=${outputs['pgpass-file']}`
    expect(await runner.run(PSQL.replace('psql', `psql '${words}'`))).toMatchObject({
      stdout: 'migrator true\n',
    })
  })

  test('or runs jeton exec, with a token of its own', async () => {
    const runner = await startJob()
    await runner.uses({ url: jeton.url })
    const ran = await runner.run(`jeton exec orders --ca '${environment.caFile}' -- ${PSQL}`)
    expect(ran).toMatchObject({ code: 0, stdout: 'migrator true\n' })
  })
})
