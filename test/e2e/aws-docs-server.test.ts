import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { hasProgram } from '../support/databases/install.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { runCli, startJeton } from '../support/service/jeton.ts'
import { CLAIMS, startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'
import { createPathWithWrappers } from '../support/service/wrapper-scripts.ts'

/** The examples of docs/aws.md for a server: profile, query, image, systemd unit. */
const page = await readDocsPage('aws')
const hasSystemd = await hasProgram('systemd-analyze')
const hasJq = await hasProgram('jq')

let environment: TestEnvironment
beforeAll(async () => {
  environment = await startTestEnvironment()
})
afterAll(() => environment?.close())

async function writeText(name: string, content: string, mode = 0o644): Promise<string> {
  const file = join(environment.folder, name)
  await writeFile(file, content, { mode })
  return file
}

describe('a server', () => {
  const orders = { database: 'orders' }
  const caller = async () => `Bearer ${await environment.issuer.sign(CLAIMS)}`

  test('gets its credentials from the process that the profile example names', async () => {
    const {
      AWS_ACCESS_KEY_ID: AccessKeyId,
      AWS_SECRET_ACCESS_KEY: SecretAccessKey,
      ...env
    } = environment.serverEnv
    const credentials = JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey })
    const helper = await writeText(
      'helper',
      `#!/bin/sh\n[ "$1" = credential-process ] && echo '${credentials}'`,
      0o755,
    )
    const profile = exampleIn(page, 'profile').replace('/usr/local/bin/aws_signing_helper', helper)
    const [, AWS_PROFILE = ''] = /`AWS_PROFILE=(\w+)`/.exec(page) ?? []
    const jeton = await startJeton({
      config: environment.config({ audit: [{ type: 'stdout' }] }),
      env: { ...env, AWS_CONFIG_FILE: await writeText('aws', profile), AWS_PROFILE },
    })
    onTestFinished(jeton.close)
    expect((await jeton.requestToken(await caller(), orders)).status).toBe(200)
  })

  test.runIf(hasJq)('has audit records that match CloudTrail by the role session', async () => {
    const jeton = await startJeton({ config: environment.config(), env: environment.serverEnv })
    onTestFinished(jeton.close)
    const before = environment.sts.calls.length
    const { body } = await jeton.requestToken(await caller(), orders)
    await jeton.requestToken(await caller(), orders)
    const script = exampleIn(page, 'vended')
      .replace('audit query', `audit query ${join(jeton.folder, 'audit.jsonl')}`)
      .replace(/--from \S+ --to \S+/, '--from 1h')
    const { stdout } = await run('/bin/sh', ['-ec', script], {
      env: { PATH: await createPathWithWrappers(environment) },
    })
    const [count, identity, , fingerprint] = stdout.trim().split(/\s+/)
    expect([count, fingerprint]).toEqual(['2', body.fingerprint])
    expect(identity).toBe('arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator')
    expect(environment.sts.calls.slice(before)).toMatchObject([
      { roleArn: 'arn:aws:iam::123456789012:role/jeton-orders', roleSessionName: 'orders.migrator' },
    ])
  })

  test('is healthy for the health check of the image, and unhealthy once it has ended', async () => {
    const dockerfile = exampleIn(page, 'dockerfile')
    const list = (key: string): string[] =>
      JSON.parse(new RegExp(`^${key} (\\[.*\\])$`, 'm').exec(dockerfile)?.[1] ?? '')
    expect(list('ENTRYPOINT')).toEqual(['node', manifest.bin.jeton])
    expect((await runCli([...list('CMD').slice(0, 1), '--help'])).stdout).toContain(list('CMD')[1])
    for (const [, names = ''] of dockerfile.matchAll(/^COPY (.+) \S+$/gm))
      for (const name of names.split(' ').filter(each => each !== 'dist'))
        expect(await readFile(new URL(`../../${name}`, import.meta.url), 'utf8')).not.toBe('')

    const jeton = await startJeton({
      config: environment.config({ audit: [{ type: 'stdout' }] }),
      env: environment.serverEnv,
    })
    const [node = '', ...args] = list('HEALTHCHECK CMD')
    const check = () =>
      run(
        node,
        args.map(each => each.replace('http://127.0.0.1:8080', jeton.url)),
      )
    expect(await check()).toMatchObject({ code: 0, stderr: '' })
    await jeton.close()
    expect(await check()).toMatchObject({ code: 1, stderr: '' })
  })
})

test.runIf(hasSystemd)('the systemd unit has only settings that systemd knows', async () => {
  const unit = exampleIn(page, 'unit')
  const verify = async (name: string, content: string) => {
    const file = await writeText(name, content.replace('/usr/local/bin/jeton', process.execPath))
    return (await run('systemd-analyze', ['verify', file])).stderr
  }
  expect(await verify('jeton.service', unit)).toBe('')
  expect(await verify('other.service', unit.replace('DynamicUser', 'DynamicUsr'))).toContain('DynamicUsr')
})
