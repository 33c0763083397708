import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import type { ConfigFile } from '../../src/config/schema.ts'
import { parseConfigText } from '../../src/config/yaml/parse-yaml.ts'
import { canRun, hasProgram } from '../support/databases/install.ts'
import { githubLog } from '../support/job-log.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { startGithubJob } from '../support/oidc/github.ts'
import { run } from '../support/run.ts'
import { runCli, startJeton } from '../support/service/jeton.ts'
import { startJetonFront } from '../support/service/jeton-front.ts'
import { configText, readme, standInConfig, useReadmeServer } from './readme-server.ts'

/** The examples of README.md and docs/connect/kubernetes.md, run unchanged; only addresses are replaced by those of the stand-ins. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ONE_FILE = join(ROOT, 'dist/jeton.mjs')
const kubernetesPage = await readDocsPage('connect/kubernetes')
const canLogIn = await canRun(['postgres', 'psql'])
const hasCurl = await hasProgram('curl')

const GITHUB = {
  sub: 'repo:acme/orders:ref:refs/heads/main',
  repository: 'acme/orders',
  repository_id: '123456',
  ref: 'refs/heads/main',
}

const { environment, callerEnv, shell } = useReadmeServer({ databases: canLogIn ? ['postgres'] : [] })

const logins = () => environment().postgres?.logins ?? []
const acceptedLogin = (user: string) => ({
  user,
  result: { ok: true, identity: `arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.${user}` },
})

describe('the configuration example', () => {
  async function check(text: string) {
    const file = join(environment().folder, 'jeton.yaml')
    await writeFile(file, text)
    return runCli(['check', '--config', file])
  }

  test('passes `jeton check`', async () => {
    const stdout = 'ok: 1 database, 2 issuers, 0 API keys, 2 grants\n'
    expect(await check(configText)).toEqual({ code: 0, stdout, stderr: '' })
  })

  test('fails `jeton check` without the claim that pins the repository', async () => {
    const { code, stderr } = await check(configText.replace('repository_id: 123456, ', ''))
    expect(code).toBe(1)
    expect(stderr).toMatch(/grants\[0\].*\.principal: .*pin its owner/)
  })
})

describe.runIf(hasCurl)('the request example', () => {
  test('gets the reply of the reply example', async () => {
    const { code, stdout, stderr } = await shell(exampleIn(readme, 'request'), {
      JWT: await environment().issuer.sign(GITHUB),
    })
    expect([code, stderr]).toEqual([0, ''])
    const reply = JSON.parse(stdout)
    const example = JSON.parse(exampleIn(readme, 'reply'))
    const { host, port, user, grant, ca } = example
    expect(reply).toMatchObject({ host, port, user, grant, ca })
    expect(reply.token.startsWith(example.token.split('…')[0])).toBe(true)
    expect(Object.keys(reply).filter(name => name in example)).toEqual(Object.keys(example))
    const minutesBetween = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 60_000
    expect(minutesBetween(reply.refreshAfter, reply.expiresAt)).toBe(
      minutesBetween(example.refreshAfter, example.expiresAt),
    )
  })
})

interface Workflow {
  permissions: Record<string, string>
  jobs: Record<string, { env?: Record<string, string>; steps: { run?: string }[] }>
}

describe.runIf(canLogIn)('the GitHub workflow example', () => {
  const workflow = parse(exampleIn(readme, 'github')) as Workflow
  const [job] = Object.values(workflow.jobs)
  const lines = (job?.steps ?? []).flatMap(step => step.run ?? [])
  const [line = '', ...otherLines] = lines.filter(text => text.includes('jeton'))

  async function runJob(claims: object) {
    const github = await startGithubJob(aud => environment().issuer.sign({ ...claims, aud }))
    onTestFinished(github.close)
    await writeFile(join(environment().folder, 'migrate.sql'), "select 'migrated by ' || current_user;\n")
    await mkdir(join(environment().folder, 'tools'), { recursive: true })
    await copyFile(ONE_FILE, join(environment().folder, 'tools/jeton.mjs'))
    const ran = await shell(line, { ...job?.env, ...callerEnv(), ...github.env })
    return { ran, audiences: github.audiences }
  }

  test('has one line of jeton, and installs nothing', () => {
    expect([line, ...otherLines]).toEqual(lines)
    expect(otherLines).toEqual([])
    expect(line).not.toContain('\n')
    expect(workflow.permissions['id-token']).toBe('write')
    expect(job?.env?.JETON_URL).toMatch(/^https:/)
  })

  test('logs in to PostgreSQL', async () => {
    const { ran, audiences } = await runJob(GITHUB)
    // nothing but masks
    expect([ran.code, githubLog(ran.stderr)]).toEqual([0, ''])
    expect(ran.stderr).toContain('::add-mask::')
    expect(ran.stdout).toContain('migrated by migrator')
    expect(audiences).toEqual(['jeton'])
    expect(logins().at(-1)).toMatchObject(acceptedLogin('migrator'))
  })

  test.each([
    ['another repository with the same name', { ...GITHUB, repository_id: '654321' }],
    ['another branch', { ...GITHUB, ref: 'refs/heads/feature' }],
  ])('does not log in for %s', async (_, claims) => {
    const before = logins().length
    const { ran } = await runJob(claims)
    expect(ran).toMatchObject({ code: 125, stdout: '' })
    expect(ran.stderr).toContain('access_denied')
    expect(logins()).toHaveLength(before)
  })
})

describe.runIf(canLogIn)('the shell example', () => {
  test('says who the caller is, logs in to PostgreSQL, and prints a login', async () => {
    const JETON_JWT = await environment().issuer.sign(GITHUB)
    const { code, stdout, stderr } = await shell(exampleIn(readme, 'shell'), { ...callerEnv(), JETON_JWT })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(GITHUB.sub)
    expect(stdout).toMatch(/^ migrator$/m)
    expect(JSON.parse(stdout.slice(stdout.indexOf('\n{')))).toMatchObject({ user: 'migrator' })
    expect(logins().at(-1)).toMatchObject(acceptedLogin('migrator'))
  })
})

describe.runIf(canLogIn)('the pool example', () => {
  test('logs in to PostgreSQL', async () => {
    const folder = join(environment().folder, 'pool')
    await mkdir(join(folder, 'node_modules'), { recursive: true })
    await symlink(ROOT, join(folder, 'node_modules/jeton'))
    await symlink(join(ROOT, 'node_modules/pg'), join(folder, 'node_modules/pg'))
    await writeFile(join(folder, 'index.mjs'), `${exampleIn(readme, 'pool')}\nawait pool.end()\n`)
    const config = { ...standInConfig(environment()), server: {}, audit: [{ type: 'stdout' }] }
    const jeton = await startJeton({ config, env: environment().serverEnv, folder: environment().folder })
    onTestFinished(jeton.close)
    const front = await startJetonFront(jeton.url, environment().authority.caPem)
    onTestFinished(front.close)
    const env = { JETON_URL: front.url, JETON_JWT: await environment().issuer.sign(GITHUB) }
    const ran = await run(process.execPath, [join(folder, 'index.mjs')], { env })
    expect(ran).toEqual({ code: 0, stdout: "[ { current_user: 'migrator' } ]\n", stderr: '' })
    expect(logins().at(-1)).toMatchObject(acceptedLogin('migrator'))
  })
})

interface Pod {
  serviceAccountName: string
  containers: {
    command: string[]
    env: { name: string; value: string }[]
    volumeMounts: { name: string; mountPath: string }[]
  }[]
  volumes: {
    name: string
    projected: { sources: { serviceAccountToken: { audience: string; path: string } }[] }
  }[]
}

describe.runIf(canLogIn)('the Kubernetes example', () => {
  const job = parse(exampleIn(kubernetesPage, 'kubernetes'))
  const pod = job.spec.template.spec as Pod
  const account = `system:serviceaccount:${job.metadata.namespace}:${pod.serviceAccountName}`
  const [container] = pod.containers
  const [volume] = pod.volumes
  const token = volume?.projected.sources[0]?.serviceAccountToken
  const { cluster } = (parseConfigText(configText) as ConfigFile).issuers ?? {}

  /** Runs the container's command as the kubelet does, with a file instead of the projected token. */
  async function runPod(claims: object) {
    const jwtFile = join(environment().folder, 'projected-token')
    const defaults = { iss: cluster?.issuer, aud: [token?.audience], sub: account }
    await writeFile(jwtFile, await environment().issuer.sign({ ...defaults, ...claims }))
    const containerEnv = Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? [])
    const [command = '', ...args] = container?.command ?? []
    return run(command, args, { env: { ...containerEnv, ...callerEnv(), JETON_JWT_FILE: jwtFile } })
  }

  test('gives jeton the path of the projected token, whose audience is the issuer’s', () => {
    const mount = container?.volumeMounts.find(({ name }) => name === volume?.name)
    const jwtFile = container?.env.find(({ name }) => name === 'JETON_JWT_FILE')
    expect(jwtFile?.value).toBe(`${mount?.mountPath}/${token?.path}`)
    expect(token?.audience).toBe(cluster?.audience)
  })

  test('logs in to PostgreSQL', async () => {
    expect(await runPod({})).toEqual({ code: 0, stdout: 'app_ro\n', stderr: '' })
    expect(logins().at(-1)).toMatchObject(acceptedLogin('app_ro'))
  })

  test.each([
    [
      'a service account of another namespace',
      { sub: account.replace(':orders:', ':other:') },
      'access_denied',
    ],
    ['a token for another audience', { aud: ['https://kubernetes.default.svc'] }, 'unauthenticated'],
  ])('does not log in for %s', async (_, claims, code) => {
    const before = logins().length
    const ran = await runPod(claims)
    expect(ran).toMatchObject({ code: 125, stdout: '' })
    expect(ran.stderr).toContain(code)
    expect(logins()).toHaveLength(before)
  })
})
