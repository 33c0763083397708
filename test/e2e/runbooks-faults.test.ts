import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { hasProgram } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { anchorsOf } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { runCli, startJeton } from '../support/service/jeton.ts'
import { runbook, runbooks, useRunbookServer } from './runbooks-server.ts'

/** The runbooks of docs/runbooks.md for what fails or has to be renewed: their examples, run unchanged. */
const [hasTools, hasAws] = await Promise.all([
  Promise.all(['jq', 'openssl', 'sha256sum'].map(hasProgram)).then(found => found.every(Boolean)),
  hasProgram('aws'),
])
const examples = [...runbooks.matchAll(/^<!-- example: ([\w-]+) -->$/gm)].map(([, name = '']) => name)
const PATIENT = { timeout: 20_000 }
const HOUR_MS = 3_600_000

describe.runIf(hasTools)('the runbook of', () => {
  const apiKey = newApiKey()
  const { environment, jeton, config, shell, runScript, reload, auditFile } = useRunbookServer({
    sha256: apiKey.sha256,
  })
  const requestToken = (user: string) =>
    jeton().requestToken(`ApiKey ${apiKey.key}`, { database: 'orders', user })
  const orders = (changes: object) => ({
    databases: { ...config().databases, orders: { ...config().databases.orders, ...changes } },
  })

  test('records that cannot be read lists which configuration each instance started with', async () => {
    const [time, instance, sha256] = JSON.parse((await shell('started')).split('\n')[0] ?? '')
    expect([time, instance, sha256]).toEqual([
      expect.stringMatching(/^\d{4}-/),
      expect.stringContaining(`/${jeton().process.pid}`),
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ])
  })

  test('a role that is refused shows what AWS said, and the trust that it should have', async () => {
    environment().sts.faults.deniedRoles.add(ORDERS.roleArn)
    expect((await requestToken('app_ro')).status).toBe(502)
    const printed = () => shell('role-refused').catch(() => '')
    await expect.poll(printed, PATIENT).toContain('AccessDenied')
    const [database, reason, ...policy] = (await printed()).split('\n')
    expect([database, reason]).toEqual(['orders', expect.stringContaining(ORDERS.roleArn)])
    const { Statement } = JSON.parse(policy.join('\n')) as { Statement: { Principal: unknown }[] }
    expect(JSON.stringify(Statement)).toContain('arn:aws:iam::123456789012:role/jeton')
    environment().sts.faults.deniedRoles.clear()
    await expect.poll(async () => (await requestToken('app_ro')).status, PATIENT).toBe(200)
    await jeton().logged('role_recovered')
  }, 60_000)

  test('throttled counts refusals by grant, principal and reason', async () => {
    // another limit is another rate: the first token of it comes at once
    await reload(orders({ limits: { newTokensPerSecond: 0.1 }, externalId: 'another-key' }))
    const replies = [await requestToken('app_ro'), await requestToken('app_rw')]
    expect(replies.map(({ status }) => status)).toContain(429)
    const rows = async () => (await shell('throttled')).split('\n').map(row => row.trim().split('\t'))
    await expect
      .poll(rows, PATIENT)
      .toContainEqual([
        expect.stringMatching(/^\d+ orders$/),
        'orders-report',
        'nightly-report',
        expect.any(String),
      ])
    await reload({})
  })

  test('a full audit log rotates and moves the file away, and the chain is whole', async () => {
    await mkdir(join(environment().folder, 'elsewhere'))
    expect(await shell('rotate')).toContain('%')
    const isThere = async () => (await readdir(environment().folder)).includes('audit.jsonl')
    const vended = async () => (await requestToken('app_ro')).status === 200 && (await isThere())
    await expect.poll(vended, PATIENT).toBe(true)
    await shell('move-away')
    expect(await readdir(environment().folder)).not.toContain('audit.jsonl.1')
    expect(await shell('chain')).toMatch(/^ok: \d+ records, last \w{64}$/)
  })

  test('a lost audit file finds the records in a copy', async () => {
    await runScript('cp "$LOG" elsewhere/audit.jsonl && rm "$LOG"')
    const copyHasGap = await runCli(['audit', 'verify', auditFile()])
    expect(copyHasGap.code).toBe(1)
    await requestToken('app_ro')
    await jeton().logged('audit_tail_missing')
    await runScript(
      'mv elsewhere/audit.jsonl.1 elsewhere/older && cat elsewhere/older elsewhere/audit.jsonl > all',
    )
    await runScript('mv all elsewhere/audit.jsonl')
    expect(await shell('audit-copy')).toMatch(/^ok: \d+ records, last \w{64}$/)
  }, 60_000)

  test('a key of the store makes one that the configuration accepts beside the old', async () => {
    await shell('store-key')
    await runScript('openssl rand -base64 32 > store.key')
    for (const keyFile of [['store.key', 'new.key'], ['new.key', 'store.key'], 'new.key']) {
      const store = { type: 'dynamodb', table: 'jeton', region: 'us-east-1', encryption: { keyFile } }
      await writeFile(join(environment().folder, 'rotated.json'), JSON.stringify({ ...config(), store }))
      expect((await runScript('jeton check --config rotated.json')).code).toBe(0)
    }
  })

  test('the certificate shows the new one after a reload', async () => {
    const { folder, authority, serverEnv } = environment()
    async function writeCertificate(expiresAt: number): Promise<void> {
      const { certPem, keyPem } = authority.issue(['127.0.0.1'], { expiresAt })
      await writeFile(join(folder, 'server.pem'), certPem)
      await writeFile(join(folder, 'server-key.pem'), keyPem)
    }
    await writeCertificate(Date.now() + HOUR_MS)
    const tls = { cert: join(folder, 'server.pem'), key: join(folder, 'server-key.pem') }
    const server = await startJeton({
      config: { ...config(), server: { tls }, audit: [{ type: 'stdout' }] },
      env: serverEnv,
    })
    onTestFinished(() => server.close())
    const script = runbook('certificate').replace('jeton.example.com:8443', new URL(server.url).host)
    const before = await runScript(script)
    expect(before.stdout).toMatch(/^notAfter=/)
    await writeCertificate(Date.now() + 48 * HOUR_MS)
    server.process.kill('SIGHUP')
    await expect.poll(async () => (await runScript(script)).stdout, PATIENT).not.toBe(before.stdout)
  })
})

describe('docs/runbooks.md', () => {
  const ofAws = examples.filter(name => /^ *aws /m.test(runbook(name)))

  test('has no example that these tests do not run', async () => {
    const files = ['runbooks-credentials.test.ts', 'runbooks-faults.test.ts']
    const tests = (
      await Promise.all(files.map(file => readFile(new URL(file, import.meta.url), 'utf8')))
    ).join()
    expect(examples.filter(name => !ofAws.includes(name) && !tests.includes(`'${name}'`))).toEqual([])
    expect(ofAws.length).toBeGreaterThan(5)
  })

  test('has no fenced commands outside of examples, but for the variables', () => {
    const fences = [...runbooks.matchAll(/(^<!-- .* -->\n)?^```sh\n([\s\S]*?)^```$/gm)]
    expect(fences.filter(([, mark]) => mark === undefined).map(([, , code]) => code)).toEqual([
      expect.stringMatching(/^export JETON_CONFIG=\S+ +# .*\nLOG=\S+ +# .*\n$/),
    ])
  })

  test('has the runbook that each alarm names', async () => {
    const alarms = await readFile(new URL('../../infra/alarms.yml', import.meta.url), 'utf8')
    const named = [...alarms.matchAll(/docs\/runbooks\.md#(\S+)/g)].map(([, anchor]) => anchor)
    expect(named.length).toBeGreaterThan(5)
    expect(anchorsOf(runbooks)).toEqual(expect.arrayContaining(named))
  })

  test.runIf(hasAws).each(ofAws)(
    "is understood by AWS's CLI: %s",
    async name => {
      const commands = runbook(name)
        .replaceAll('\\\n', ' ')
        .split('\n')
        .filter(line => line.startsWith('aws '))
      for (const command of commands) {
        const { stderr } = await run('/bin/sh', ['-c', command], {
          env: {
            PATH: process.env.PATH ?? '',
            AWS_ACCESS_KEY_ID: 'any',
            AWS_SECRET_ACCESS_KEY: 'any',
            AWS_DEFAULT_REGION: 'us-east-1',
            AWS_MAX_ATTEMPTS: '1',
            // nothing listens there
            AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
          },
        })
        expect(stderr).toContain('Could not connect to the endpoint URL')
      }
    },
    60_000,
  )
})
