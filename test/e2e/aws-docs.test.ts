import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { type Checkout, checkout } from '../infra/stack.ts'
import { exampleIn, quotedIn } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { runCli, startJeton } from '../support/service/jeton.ts'
import { hasProgram, pathWithShims } from '../support/service/path-folder.ts'
import { type Stage, setStage } from '../support/service/scenario.ts'

/** What docs/aws.md tells operators to write and to type. */
const TOP = fileURLToPath(new URL('../../', import.meta.url))
const text = (name: string) => readFile(join(TOP, name), 'utf8')
const page = await text('docs/aws.md')
const configText = exampleIn(page, 'configuration')
const hasSystemd = await hasProgram('systemd-analyze')
const hasJq = await hasProgram('jq')

const fences = [...page.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, inside = '']) => inside)
/** All that stands in the page as code, a command a line. */
const code = [...fences, ...quotedIn(page)].join('\n').replaceAll('\\\n', ' ').split('\n')
const flagsIn = (line: string) => line.split(' -- ')[0]?.match(/(?<![\w-])--?[a-z][a-zA-Z-]*/g) ?? []

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage?.close())

async function written(name: string, content: string, mode = 0o644): Promise<string> {
  const file = join(stage.folder, name)
  await writeFile(file, content, { mode })
  return file
}

const configured = () => written('jeton.yaml', configText)

describe('the configuration', () => {
  let copy: Checkout
  beforeAll(async () => {
    // what is built is another test's concern
    const build = `import { mkdirSync, writeFileSync } from 'node:fs'
mkdirSync('dist/lambda', { recursive: true })
writeFileSync('dist/lambda/index.mjs', '')`
    copy = await checkout({ 'jeton.yaml': configText, 'build.mjs': build })
  })
  afterAll(() => copy?.close())

  test('passes `jeton check`', async () => {
    const stdout = 'ok: 1 database, 1 issuer, 0 API keys, 1 grant\n'
    expect(await runCli(['check', '--config', await configured()])).toEqual({ code: 0, stdout, stderr: '' })
  })

  test('is packaged, and the stack has what the page names of it', async () => {
    const [, parameter = ''] = /--param="(alarmEmail=[^"]+)"/.exec(page) ?? []
    await copy.osls(parameter)
    const { Outputs, Resources } = (await copy.template()) as unknown as {
      Outputs: Record<string, unknown>
      Resources: Record<string, { DeletionPolicy?: string; Properties: Record<string, unknown> }>
    }
    expect(Object.keys(Outputs)).toEqual(expect.arrayContaining(['HttpApiUrl', 'JetonRoleArn']))
    expect(Resources.AlarmEmail?.Properties.Endpoint).toBe('oncall@example.com')
    expect(Resources.StoreTable?.Properties.TableName).toBe('jeton')
    expect(Resources.AuditTable?.Properties.TableName).toBe('jeton-audit')
    expect(Resources.KeyAlias?.Properties.AliasName).toBe('alias/jeton')
    const kept = Object.keys(Resources).filter(name => Resources[name]?.DeletionPolicy === 'Retain')
    expect(kept.sort()).toEqual(['AuditTable', 'Key', 'StoreTable'])
  })

  test('is refused by the stack without stdout among the logs, as the page says', async () => {
    await writeFile(join(copy.folder, 'jeton.yaml'), configText.replace(', { type: stdout }]', ']'))
    await expect(copy.osls()).rejects.toThrow('add { type: stdout }')
  })
})

describe('what is printed', () => {
  test('the SQL', async () => {
    const { stdout } = await runCli(['sql', 'orders', '--config', await configured()])
    expect(stdout).toBe(exampleIn(page, 'sql'))
  })

  test('the role, which asks for the parameter that the page gives', async () => {
    const args = ['iam', 'orders', '--format', 'cloudformation', '--config', await configured()]
    const { Parameters } = parse((await runCli(args)).stdout)
    const given = /--parameter-overrides (\w+)=/.exec(page)?.[1]
    expect(Object.keys(Parameters)).toEqual([given])
  })
})

describe('what is typed', () => {
  const ours = code.flatMap(line => {
    const [, command, rest = ''] =
      /\bjeton (audit query|audit verify|[a-z][a-z-]+)( [^|>]*)?/.exec(line) ?? []
    return command === undefined ? [] : [{ command, flags: flagsIn(rest) }]
  })

  test('are commands and options of jeton', async () => {
    const commands = [...new Set(ours.map(({ command }) => command))]
    expect(commands).toEqual(expect.arrayContaining(['apikey', 'audit query', 'check', 'exec', 'iam', 'sql']))
    for (const command of commands) {
      const { code, stdout } = await runCli([...command.split(' '), '--help'])
      expect(code, command).toBe(0)
      const known = flagsIn(stdout.replaceAll(/[\s,]+/g, ' '))
      for (const each of ours)
        if (each.command === command) expect(known).toEqual(expect.arrayContaining(each.flags))
    }
  })

  test('are commands, options and parameters of osls', async () => {
    interface Commands extends Map<string, { options?: Record<string, { shortcut?: string }> }> {
      commonOptions: Record<string, { shortcut?: string }>
    }
    const known = createRequire(import.meta.url)('osls/lib/cli/commands-schema/aws-service.js') as Commands
    const theirs = code.flatMap(line => /\bosls ((?:deploy list|[a-z]+)\b)(.*)/.exec(line)?.slice(1) ?? [])
    expect(theirs.length).toBeGreaterThan(10)
    for (let at = 0; at < theirs.length; at += 2) {
      const [command = '', rest = ''] = theirs.slice(at)
      expect([...known.keys()]).toContain(command)
      const options = { ...known.commonOptions, ...known.get(command)?.options }
      const flags = Object.entries(options).flatMap(([name, { shortcut }]) => [`--${name}`, `-${shortcut}`])
      expect(flags).toEqual(expect.arrayContaining(flagsIn(rest)))
    }
    const { params } = parse(await text('serverless.yml'), { logLevel: 'error' })
    const given = [...page.matchAll(/--param="(\w+)=/g)].map(([, name]) => name)
    expect(Object.keys(params.default)).toEqual(expect.arrayContaining(given))
  })

  test('names files that are there', async () => {
    const files = new Set([...page.matchAll(/\b(?:infra\/[\w.-]+\w|serverless\.yml)/g)].map(([file]) => file))
    expect(files.size).toBe(3)
    for (const file of files) expect(await text(file)).not.toBe('')
  })
})

describe('a server', () => {
  const ask = { database: 'orders' }
  const caller = async () =>
    `Bearer ${await stage.issuer.sign({ repository: 'acme/orders', ref: 'refs/heads/main' })}`

  test('takes its credentials from the profile, by the process that it names', async () => {
    const { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey, ...env } = stage.env
    const credentials = JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey })
    const helper = await written(
      'helper',
      `#!/bin/sh\n[ "$1" = credential-process ] && echo '${credentials}'`,
      0o755,
    )
    const profile = exampleIn(page, 'profile').replace('/usr/local/bin/aws_signing_helper', helper)
    const [, AWS_PROFILE = ''] = /`AWS_PROFILE=(\w+)`/.exec(page) ?? []
    const jeton = await startJeton({
      config: stage.config({ audit: [{ type: 'stdout' }] }),
      env: { ...env, AWS_CONFIG_FILE: await written('aws', profile), AWS_PROFILE },
    })
    onTestFinished(jeton.close)
    expect((await jeton.ask(await caller(), ask)).status).toBe(200)
  })

  test.runIf(hasJq)('has records that CloudTrail is held against by the session', async () => {
    const jeton = await startJeton({ config: stage.config(), env: stage.env })
    onTestFinished(jeton.close)
    const before = stage.sts.calls.length
    const { body } = await jeton.ask(await caller(), ask)
    await jeton.ask(await caller(), ask)
    const script = exampleIn(page, 'vended')
      .replace('audit query', `audit query ${join(jeton.folder, 'audit.jsonl')}`)
      .replace(/--from \S+ --to \S+/, '--from 1h')
    const { stdout } = await run('/bin/sh', ['-ec', script], { env: { PATH: await pathWithShims(stage) } })
    const [count, identity, , fingerprint] = stdout.trim().split(/\s+/)
    expect([count, fingerprint]).toEqual(['2', body.fingerprint])
    expect(identity).toBe('arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator')
    expect(stage.sts.calls.slice(before)).toMatchObject([
      { roleArn: 'arn:aws:iam::123456789012:role/jeton-orders', roleSessionName: 'orders.migrator' },
    ])
  })

  test('is found alive by the check of the image, and dead once it has ended', async () => {
    const dockerfile = exampleIn(page, 'dockerfile')
    const list = (key: string): string[] =>
      JSON.parse(new RegExp(`^${key} (\\[.*\\])$`, 'm').exec(dockerfile)?.[1] ?? '')
    expect(list('ENTRYPOINT')).toEqual(['node', manifest.bin.jeton])
    expect((await runCli([...list('CMD').slice(0, 1), '--help'])).stdout).toContain(list('CMD')[1])
    for (const [, names = ''] of dockerfile.matchAll(/^COPY (.+) \S+$/gm))
      for (const name of names.split(' ').filter(each => each !== 'dist'))
        expect(await text(name)).not.toBe('')

    const jeton = await startJeton({ config: stage.config({ audit: [{ type: 'stdout' }] }), env: stage.env })
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

test.runIf(hasSystemd)('systemd knows every line of the unit', async () => {
  const unit = exampleIn(page, 'unit')
  const verify = async (name: string, content: string) => {
    const file = await written(name, content.replace('/usr/local/bin/jeton', process.execPath))
    return (await run('systemd-analyze', ['verify', file])).stderr
  }
  expect(await verify('jeton.service', unit)).toBe('')
  expect(await verify('other.service', unit.replace('DynamicUser', 'DynamicUsr'))).toContain('DynamicUsr')
})
