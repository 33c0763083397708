import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { canRun } from '../support/databases/install.ts'
import { generate, type KubernetesSecret, render, type WebhookSpec } from '../support/external-secrets.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { type Jeton, startJeton } from '../support/service/jeton.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'

/** The manifests of docs/connect/external-secrets.md, run unchanged but for the address of jeton. */
const page = await readDocsPage('connect/external-secrets')
const canLogIn = await canRun(['postgres', 'psql'])

interface ExternalSecret {
  spec: { refreshInterval: string; target: { template: { data: Record<string, string> } } }
}

const [generator, externalSecret] = parseAllDocuments(exampleIn(page, 'external-secret')).map(each =>
  each.toJS(),
) as [{ spec: WebhookSpec }, ExternalSecret]
const keySecret = parse(exampleIn(page, 'external-secret-key')) as {
  metadata: { name: string; labels: Record<string, string> }
  stringData: Record<string, string>
}
const jwtSpec = (parse(exampleIn(page, 'external-secret-jwt')) as { spec: Partial<WebhookSpec> }).spec
const { apiKeys, grants } = parse(exampleIn(page, 'external-secret-grant'))

describe.runIf(canLogIn)('the External Secrets Operator', () => {
  const key = newApiKey()
  let environment: TestEnvironment
  let jeton: Jeton
  let secrets: Record<string, KubernetesSecret>

  beforeAll(async () => {
    environment = await startTestEnvironment({ databases: ['postgres'] })
    const { sha256 } = key
    const [grant] = grants
    jeton = await startJeton({
      config: environment.config({
        apiKeys: { ...apiKeys, shop: { sha256 } },
        grants: [
          grant,
          { ...grant, name: 'pods', principal: { issuer: 'ci', subject: 'system:serviceaccount:shop:shop' } },
        ],
      }),
      env: environment.serverEnv,
      folder: environment.folder,
    })
    secrets = {
      'jeton-key': { labels: keySecret.metadata.labels, data: { ...keySecret.stringData, key: key.key } },
      'jeton-jwt': {
        labels: keySecret.metadata.labels,
        data: { token: await environment.issuer.sign({ sub: 'system:serviceaccount:shop:shop' }) },
      },
    }
  })
  afterAll(async () => {
    await jeton?.close()
    await environment?.close()
  })

  /** Returns the data of the Secret that the operator keeps. */
  async function sync(changes: Partial<WebhookSpec> = {}): Promise<Record<string, string>> {
    const { spec } = generator
    const headers = { ...spec.headers, ...changes.headers }
    const url = spec.url.replace('https://jeton.example.com', jeton.url)
    const secretOf = (name: string) => secrets[name] ?? expect.fail(`there is no Secret ${name}`)
    const values = await generate({ ...spec, ...changes, headers, url }, secretOf)
    const { data } = externalSecret.spec.target.template
    return Object.fromEntries(Object.entries(data).map(([name, text]) => [name, render(text, values)]))
  }

  async function logIn(data: Record<string, string>) {
    // the stand-in's certificate is from a CA of the test, not from RDS's in the Secret
    const at = `host=${data.host} hostaddr=127.0.0.1 port=${environment.postgres?.port}`
    const tls = `sslmode=verify-full sslrootcert=${environment.caFile}`
    return run(
      'psql',
      ['-wAtc', 'select current_user', `${at} user=${data.user} dbname=${data.dbname} ${tls}`],
      {
        env: { PATH: process.env.PATH ?? '', PGPASSWORD: data.password ?? '' },
      },
    )
  }

  test('keeps a Secret by an API key whose data logs in', async () => {
    const data = await sync()
    expect(await logIn(data)).toMatchObject({ code: 0, stdout: 'app_ro\n', stderr: '' })
    expect(environment.postgres?.logins.at(-1)).toMatchObject({ user: 'app_ro', result: { ok: true } })
    expect(data).toMatchObject({ port: '5432', 'ca.pem': expect.stringMatching(/^-----BEGIN CERTIFICATE/) })
    expect(JSON.stringify(data)).not.toContain('<no value>')
    const left = Date.parse(data['expires-at'] ?? '') - Date.now()
    const [, minutes] = /^(\d+)m$/.exec(externalSecret.spec.refreshInterval) ?? []
    expect(left).toBeGreaterThan(Number(minutes) * 60_000 + 3 * 60_000)
  })

  test('keeps one by the JWT of a ServiceAccount in a Secret', async () => {
    const data = await sync(jwtSpec)
    expect(await logIn(data)).toMatchObject({ code: 0, stdout: 'app_ro\n' })
    const audit = (await readFile(join(environment.folder, 'audit.jsonl'), 'utf8')).trim().split('\n')
    expect(JSON.parse(audit.at(-1) ?? '')).toMatchObject({
      decision: 'vended',
      principal: { issuer: 'ci', subject: 'system:serviceaccount:shop:shop' },
    })
  })

  test('fails without the label, and keeps the old Secret if jeton refuses', async () => {
    const { data } = secrets['jeton-key'] as KubernetesSecret
    secrets['jeton-key'] = { data }
    await expect(sync()).rejects.toThrow('label')
    secrets['jeton-key'] = { labels: keySecret.metadata.labels, data: { key: newApiKey().key } }
    await expect(sync()).rejects.toThrow('endpoint gave error 401')
    secrets['jeton-key'] = { labels: keySecret.metadata.labels, data }
    await expect(sync({ body: '{"database":"ledger"}' })).rejects.toThrow('endpoint gave error 403')
  })
})

test('its stand-in renders what the page has of templates, and nothing else', () => {
  expect(render('a {{ .x.y }} {{ .z }}', { x: { y: 'b' } })).toBe('a b <no value>')
  expect(render('{{ (.ca | fromJson).pem }}', { ca: '{"pem":"P"}' })).toBe('P')
  for (const unknown of ['{{ .x | upper }}', '{{.x}}', '{{ if .x }}'])
    expect(() => render(unknown, {})).toThrow()
})
