import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { parseConfigText } from '../../src/config/parse-yaml.ts'
import type { ConfigFile } from '../../src/config/schema.ts'
import { canRun } from '../support/databases/install.ts'
import { exampleIn } from '../support/markdown.ts'
import { startGithubJob } from '../support/oidc/github.ts'
import { run } from '../support/run.ts'
import { type Jeton, runCli, startJeton } from '../support/service/jeton.ts'
import { hasProgram, pathWithShims } from '../support/service/path-folder.ts'
import { type Stage, setStage } from '../support/service/scenario.ts'

/** The README's examples, run as they stand there: only where things are is replaced by where the stand-ins are. */
const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
const configText = exampleIn(readme, 'configuration')
const canLogIn = await canRun(['postgres', 'psql'])
const hasCurl = await hasProgram('curl')

const GITHUB = {
  sub: 'repo:acme/orders:ref:refs/heads/main',
  repository: 'acme/orders',
  repository_id: '123456',
  ref: 'refs/heads/main',
}

let stage: Stage
let jeton: Jeton
/** A caller's environment: where jeton is, and whose certificates are good. */
let env: Record<string, string>

beforeAll(async () => {
  stage = await setStage({ databases: canLogIn ? ['postgres'] : [] })
  const { certPem, keyPem } = stage.authority.issue(['127.0.0.1'])
  await writeFile(join(stage.folder, 'server.pem'), certPem)
  await writeFile(join(stage.folder, 'server-key.pem'), keyPem)
  await writeFile(join(stage.folder, 'cluster-jwks.json'), JSON.stringify(stage.issuer.jwks()))
  jeton = await startJeton({
    config: served(),
    env: stage.env,
    folder: stage.folder,
    args: ['--host', '127.0.0.1'],
  })
  env = {
    PATH: await pathWithShims(stage),
    JETON_URL: jeton.url,
    NODE_EXTRA_CA_CERTS: stage.caFile,
    CURL_CA_BUNDLE: stage.caFile,
  }
})
afterAll(async () => {
  await jeton?.close()
  await stage?.close()
})

/** The README's configuration; GitHub and the database are the stand-ins. */
function served(): ConfigFile {
  const config = parseConfigText(configText) as ConfigFile
  const { github } = config.issuers ?? {}
  const { orders } = config.databases
  if (!github || !orders) throw new Error('the configuration example lacks what the others refer to')
  github.issuer = stage.issuer.url
  if (stage.postgres) orders.connect = `127.0.0.1:${stage.postgres.port}`
  return config
}

const shell = (script: string, more: Record<string, string>) =>
  run('/bin/sh', ['-ec', `cd "$FOLDER"\n${script}`], { env: { ...env, FOLDER: stage.folder, ...more } })

const logins = () => stage.postgres?.logins ?? []
const LET_IN = (user: string) => ({
  user,
  verdict: { ok: true, identity: `arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.${user}` },
})

describe('the configuration', () => {
  async function check(text: string) {
    const file = join(stage.folder, 'jeton.yaml')
    await writeFile(file, text)
    return runCli(['check', '--config', file])
  }

  test('passes `jeton check`', async () => {
    const stdout = 'ok: 1 database, 2 issuers, 0 API keys, 2 grants\n'
    expect(await check(configText)).toEqual({ code: 0, stdout, stderr: '' })
  })

  test('would not without the claim that pins the repository', async () => {
    const { code, stderr } = await check(configText.replace('repository_id: 123456, ', ''))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^grants\[0\]\.principal: .*pin its owner/)
  })
})

describe.runIf(hasCurl)('the request', () => {
  test('gets the reply', async () => {
    const { code, stdout, stderr } = await shell(exampleIn(readme, 'request'), {
      JWT: await stage.issuer.sign(GITHUB),
    })
    expect([code, stderr]).toEqual([0, ''])
    const reply = JSON.parse(stdout)
    const shown = JSON.parse(exampleIn(readme, 'reply'))
    const { host, port, user, grant, ca } = shown
    expect(reply).toMatchObject({ host, port, user, grant, ca })
    expect(reply.token.startsWith(shown.token.split('…')[0])).toBe(true)
    expect(Object.keys(reply).filter(name => name in shown)).toEqual(Object.keys(shown))
    const minutesBetween = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 60_000
    expect(minutesBetween(reply.refreshAfter, reply.expiresAt)).toBe(
      minutesBetween(shown.refreshAfter, shown.expiresAt),
    )
  })
})

interface Workflow {
  permissions: Record<string, string>
  jobs: Record<string, { env?: Record<string, string>; steps: { run?: string }[] }>
}

describe.runIf(canLogIn)('the GitHub workflow', () => {
  const workflow = parse(exampleIn(readme, 'github')) as Workflow
  const [job] = Object.values(workflow.jobs)
  const lines = (job?.steps ?? []).flatMap(step => step.run ?? [])
  const [line = '', ...more] = lines.filter(text => text.includes('jeton exec'))

  async function runJob(claims: object) {
    const github = await startGithubJob(aud => stage.issuer.sign({ ...claims, aud }))
    onTestFinished(github.close)
    await writeFile(join(stage.folder, 'migrate.sql'), "select 'migrated by ' || current_user;\n")
    const ran = await shell(line, { ...job?.env, ...env, ...github.env })
    return { ran, audiences: github.audiences }
  }

  test('needs one line of jeton, of the package that `npm pack` makes', () => {
    expect(more).toEqual([])
    expect(line).not.toContain('\n')
    expect(lines).toContain(`npm install --global ./tools/jeton-${manifest.version}.tgz`)
    expect(workflow.permissions['id-token']).toBe('write')
    expect(job?.env?.JETON_URL).toMatch(/^https:/)
  })

  test('logs in to PostgreSQL', async () => {
    const { ran, audiences } = await runJob(GITHUB)
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(ran.stdout).toContain('migrated by migrator')
    expect(audiences).toEqual(['jeton'])
    expect(logins().at(-1)).toMatchObject(LET_IN('migrator'))
  })

  test.each([
    ['another repository that took the name', { ...GITHUB, repository_id: '654321' }],
    ['another branch', { ...GITHUB, ref: 'refs/heads/feature' }],
  ])('does not for %s', async (_, claims) => {
    const before = logins().length
    const { ran } = await runJob(claims)
    expect(ran).toMatchObject({ code: 125, stdout: '' })
    expect(ran.stderr).toContain('access_denied')
    expect(logins()).toHaveLength(before)
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

describe.runIf(canLogIn)('the Kubernetes manifest', () => {
  const job = parse(exampleIn(readme, 'kubernetes'))
  const pod = job.spec.template.spec as Pod
  const account = `system:serviceaccount:${job.metadata.namespace}:${pod.serviceAccountName}`
  const [container] = pod.containers
  const [volume] = pod.volumes
  const token = volume?.projected.sources[0]?.serviceAccountToken
  const { cluster } = (parseConfigText(configText) as ConfigFile).issuers ?? {}

  /** Runs the container's command as the kubelet would, its token in a file that stands for the projected one. */
  async function runPod(claims: object) {
    const jwtFile = join(stage.folder, 'projected-token')
    const defaults = { iss: cluster?.issuer, aud: [token?.audience], sub: account }
    await writeFile(jwtFile, await stage.issuer.sign({ ...defaults, ...claims }))
    const named = Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? [])
    const [command = '', ...args] = container?.command ?? []
    return run(command, args, { env: { ...named, ...env, JETON_JWT_FILE: jwtFile } })
  }

  test('gives jeton the path of the token that it projects, for the audience of the issuer', () => {
    const mount = container?.volumeMounts.find(({ name }) => name === volume?.name)
    const jwtFile = container?.env.find(({ name }) => name === 'JETON_JWT_FILE')
    expect(jwtFile?.value).toBe(`${mount?.mountPath}/${token?.path}`)
    expect(token?.audience).toBe(cluster?.audience)
  })

  test('logs in to PostgreSQL', async () => {
    expect(await runPod({})).toEqual({ code: 0, stdout: 'app_ro\n', stderr: '' })
    expect(logins().at(-1)).toMatchObject(LET_IN('app_ro'))
  })

  test.each([
    ['an account of another namespace', { sub: account.replace(':orders:', ':other:') }, 'access_denied'],
    ['a token for another audience', { aud: ['https://kubernetes.default.svc'] }, 'unauthenticated'],
  ])('does not for %s', async (_, claims, code) => {
    const before = logins().length
    const ran = await runPod(claims)
    expect(ran).toMatchObject({ code: 125, stdout: '' })
    expect(ran.stderr).toContain(code)
    expect(logins()).toHaveLength(before)
  })
})
