import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { examineConfig } from '../../src/config/load.ts'
import { canRun } from '../support/databases/install.ts'
import { azureLog } from '../support/job-log.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { startGithubJob } from '../support/oidc/github.ts'
import { type Endpoint, startEndpoint } from '../support/platforms/endpoint.ts'
import { startGithubRunner } from '../support/platforms/github-runner.ts'
import { fillInComponent, type GitlabJob } from '../support/platforms/gitlab-component.ts'
import { run } from '../support/run.ts'
import { type RecipeEnvironment, startRecipeEnvironment } from './environment.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ROW = /^ current_user \n-+\n migrator\n\(1 row\)\n\n$/
const PIN = { code: 0, stdout: expect.stringMatching(ROW) }

type Variables = Record<string, string>

/** What each page has people paste, run as its platform runs it, against a real server and a real PostgreSQL. */
describe.runIf(await canRun(['postgres', 'psql', 'libnss-wrapper']))('the page for', () => {
  let recipe: RecipeEnvironment
  let endpoint: Endpoint
  /** The environment of a job, in which nothing says yet who it is. */
  let job: Variables
  let jwt: string

  beforeAll(async () => {
    recipe = await startRecipeEnvironment('postgres')
    endpoint = await startEndpoint()
    const { stdout } = await recipe.run('env', ['-0'])
    const { JETON_JWT = '', ...others } = Object.fromEntries(
      stdout
        .split('\0')
        .filter(Boolean)
        .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    ) as Variables
    job = others
    jwt = JETON_JWT
  })
  afterAll(async () => {
    await endpoint?.close()
    await recipe?.close()
  })

  /** The variables that a page sets, but for the address of the server. */
  const runJob = (lines: string | readonly string[], variables: Variables) =>
    run('bash', ['-eo', 'pipefail', '-c', `cd '${recipe.folder}'\n${[lines].flat().join('\n')}`], {
      env: { ...job, ...variables, JETON_URL: job.JETON_URL ?? '' },
    })
  const example = async (page: string, name: string) => exampleIn(await readDocsPage(`connect/${page}`), name)

  test('GitHub Actions: the workflow, and jeton exec', async () => {
    const workflow = parse(await example('github-actions', 'workflow'))
    expect(workflow.permissions['id-token']).toBe('write')
    const steps = [...workflow.jobs.migrate.steps, ...parse(await example('github-actions', 'exec'))]
    const github = await startGithubJob(async () => jwt)
    const runner = await startGithubRunner({ env: { ...job, ...github.env } })
    for (const { uses, with: inputs, run: script } of steps)
      if (script) expect(await runner.run(script)).toMatchObject(PIN)
      else {
        expect(uses).toMatch(/\/jeton@v0$/)
        expect(await runner.uses({ ...inputs, url: job.JETON_URL })).toMatchObject({ code: 0 })
      }
    expect((await runner.finish()).map(({ code }) => code)).toEqual([0, 0])
    await Promise.all([runner.close(), github.close()])
  })

  test('GitLab: a job', async () => {
    const { migrate } = parse(await example('gitlab', 'job')) as { migrate: GitlabJob }
    expect(migrate.id_tokens).toEqual({ JETON_ID_TOKEN: { aud: 'jeton' } })
    const ran = await runJob(migrate.script, { ...migrate.variables, GITLAB_CI: 'true', JETON_ID_TOKEN: jwt })
    expect(ran).toMatchObject(PIN)
  })

  test('GitLab: the component, with the one file from a package registry', async () => {
    const { include } = parse(await example('gitlab', 'component'))
    expect(include[0].component).toMatch(/^\$CI_SERVER_FQDN\/.+\/exec@1$/)
    const file = await readFile(join(ROOT, 'dist/jeton.mjs'), 'utf8')
    endpoint.answer = ({ path, headers }) =>
      headers['job-token'] === 'job-secret' && path.endsWith('/packages/generic/jeton/0.1.0/jeton.mjs')
        ? { body: file }
        : { status: 401, body: '' }
    const template = await readFile(join(ROOT, 'templates/exec.yml'), 'utf8')
    const made = fillInComponent(template, include[0].inputs)['jeton-exec'] as GitlabJob
    expect(made).toMatchObject({
      image: include[0].inputs.image,
      rules: include[0].inputs.rules,
      id_tokens: { JETON_ID_TOKEN: { aud: 'jeton' } },
    })
    expect(JSON.stringify(made)).toContain('"stage":"deploy"')
    const variables = {
      ...made.variables,
      ...{ GITLAB_CI: 'true', JETON_ID_TOKEN: jwt, CI_JOB_TOKEN: 'job-secret' },
      CI_API_V4_URL: `${endpoint.url}/api/v4`,
    }
    const ran = await runJob([...(made.before_script ?? []), ...made.script], variables)
    expect(ran).toEqual({ ...PIN, stderr: '' })
    const refused = await runJob(made.script, { ...variables, JETON_USER: 'app_rw' })
    expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining("GitLab CI's ID token") })
  })

  test('Buildkite: the step, and a token that the agent redacts', async () => {
    const agent = `case "$1 $2" in
      "oidc request-token") echo "$TEST_JWT";;
      "redactor add") cat > redacted;;
      *) exit 1;;
    esac`
    await recipe.put('buildkite-agent', `#!/bin/sh\n${agent}\n`, 0o755)
    const [step] = parse(await example('buildkite', 'step')).steps
    const variables = { ...step.env, BUILDKITE: 'true', TEST_JWT: jwt }
    expect(await runJob(step.command, variables)).toMatchObject(PIN)
    const script = `${await example('buildkite', 'script')}test "$token" = "$(cat redacted)"`
    expect(await runJob(script, variables)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await readFile(join(recipe.folder, 'redacted'), 'utf8')).toContain('X-Amz-Signature=')
  })

  test('CircleCI: the step', async () => {
    await recipe.put(
      'circleci',
      `#!/bin/sh\ntest "$*" = 'run oidc get --claims {"aud":"jeton"}' && echo "$TEST_JWT"\n`,
      0o755,
    )
    const { environment, steps } = parse(await example('circleci', 'job')).jobs.migrate
    const ran = await runJob(steps[0].run, { ...environment, CIRCLECI: 'true', TEST_JWT: jwt })
    expect(ran).toMatchObject(PIN)
  })

  test('Jenkins: what sh runs', async () => {
    const pipeline = await example('jenkins', 'pipeline')
    const [, script = ''] = /sh '''(.*)'''/.exec(pipeline) ?? []
    expect(pipeline).toContain("variable: 'JETON_JWT'")
    expect(
      await runJob(script, { JENKINS_URL: 'https://jenkins.example.com/', JETON_JWT: jwt }),
    ).toMatchObject(PIN)
  })

  test('Azure DevOps: the step, whose log hides the token', async () => {
    const [{ bash, env }] = parse(await example('azure-devops', 'step')).steps
    expect(env.SYSTEM_ACCESSTOKEN).toBe('$(System.AccessToken)')
    endpoint.answer = ({ method, headers }) =>
      method === 'POST' && headers.authorization === 'Bearer access-secret'
        ? { body: { oidcToken: jwt } }
        : { status: 401, body: '' }
    const variables = {
      ...{ TF_BUILD: 'True', SYSTEM_ACCESSTOKEN: 'access-secret' },
      SYSTEM_OIDCREQUESTURI: `${endpoint.url}/oidctoken`,
    }
    const ran = await runJob(bash, variables)
    expect(ran).toMatchObject(PIN)
    const printing = await runJob(bash.replace('psql', 'env; : psql'), variables)
    const log = azureLog(`${printing.stderr}${printing.stdout}`, { decodesPercents: true })
    expect(log).toContain('PGPASSWORD=***')
    expect(log).not.toContain('access-secret')
  })
})

describe('the component for GitLab', async () => {
  const template = await readFile(join(ROOT, 'templates/exec.yml'), 'utf8')
  const inputs = { image: 'node:22', url: 'https://jeton.example.com', database: 'orders', command: 'true' }

  test('is a job of known keywords, whose inputs are each described', () => {
    const { job = {} } = fillInComponent(template, { ...inputs, job: 'job' })
    const keywords = ['stage', 'image', 'rules', 'id_tokens', 'variables', 'before_script', 'script']
    expect(Object.keys(job).sort()).toEqual(keywords.sort())
    const { spec } = parse(template.slice(0, template.indexOf('\n---\n')))
    for (const [name, input] of Object.entries<{ description?: string }>(spec.inputs))
      expect(input.description, name).toMatch(/\.$/)
  })

  test('passes on commands with quotes, colons and line ends of YAML as they are', () => {
    const command = `sh -c 'echo "a: b" # c; psql -c "select '\\''x'\\''"'`
    const [line] = fillInComponent(template, { ...inputs, command })['jeton-exec']?.script ?? []
    expect(line?.endsWith(` -- ${command}`)).toBe(true)
  })

  test.each([
    ['url', 'https://jeton.example.com"\n  EVIL: "1'],
    ['url', 'ftp://jeton.example.com'],
    ['database', 'orders; env'],
    ['user', 'me" --url "https://evil.example.com'],
    ['audience', 'a", "b'],
    ['wait', '60; env'],
  ])('refuses an input %s that would be more than one value: %j', (name, value) => {
    expect(() => fillInComponent(template, { ...inputs, [name]: value })).toThrow(name)
  })
})

test('the issuer and the grant of the page for Jenkins are a configuration without a doubt', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'jenkins-page-'))
  try {
    const path = join(folder, 'jeton.yaml')
    const text = exampleIn(await readDocsPage('connect/jenkins'), 'grant')
    await writeFile(
      path,
      `${text}
databases:
  orders:
    engine: postgres
    host: orders.c9akciq32xyz.us-east-1.rds.amazonaws.com
    resourceId: db-ABCDEFGHIJKLMNOPQRSTUVWXYZ
    roleArn: arn:aws:iam::123456789012:role/jeton-orders
    users: [app_ro]
audit: [{ type: file, path: audit.jsonl }]
`,
    )
    const { problems, warnings } = await examineConfig(path)
    expect([problems, warnings]).toEqual([[], []])
  } finally {
    await rm(folder, { recursive: true })
  }
})
