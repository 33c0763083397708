import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { canPackage, OSLS } from '../infra/osls.ts'
import { type Checkout, checkout } from '../infra/stack.ts'
import { exampleIn, quotedIn } from '../support/markdown.ts'
import { runCli } from '../support/service/jeton.ts'

/** What docs/aws.md tells operators to write and to type, checked against the programs. */
const TOP = fileURLToPath(new URL('../../', import.meta.url))
const text = (name: string) => readFile(join(TOP, name), 'utf8')
const page = await text('docs/aws.md')
const configText = exampleIn(page, 'configuration')

const fences = [...page.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, inside = '']) => inside)
/** All code in the page, one command per line. */
const code = [...fences, ...quotedIn(page)].join('\n').replaceAll('\\\n', ' ').split('\n')
const hasOsls = await canPackage()
const flagsIn = (line: string) => line.split(' -- ')[0]?.match(/(?<![\w-])--?[a-z][a-zA-Z-]*/g) ?? []

let folder: string
const configFile = () => join(folder, 'jeton.yaml')
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jeton-aws-docs-'))
  await writeFile(configFile(), configText, { mode: 0o640 })
})
afterAll(() => rm(folder, { recursive: true }))

describe('the configuration example', () => {
  let copy: Checkout
  beforeAll(async () => {
    // Other tests check the real build.
    const build = `import { mkdirSync, writeFileSync } from 'node:fs'
mkdirSync('dist/lambda', { recursive: true })
writeFileSync('dist/lambda/index.mjs', '')`
    copy = await checkout({ 'jeton.yaml': configText, 'build.mjs': build })
  })
  afterAll(() => copy?.close())

  test('passes `jeton check`', async () => {
    const stdout = 'ok: 1 database, 1 issuer, 0 API keys, 1 grant\n'
    expect(await runCli(['check', '--config', configFile()])).toEqual({ code: 0, stdout, stderr: '' })
  })

  test.runIf(hasOsls)(
    'can be packaged, and the stack has the outputs and resources that the page names',
    async () => {
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
    },
  )

  test.runIf(hasOsls)('is refused by the stack without a stdout audit log, as the page says', async () => {
    await writeFile(join(copy.folder, 'jeton.yaml'), configText.replace(', { type: stdout }]', ']'))
    await expect(copy.osls()).rejects.toThrow('add { type: stdout }')
  })
})

describe('the example of printed output', () => {
  test('has the SQL of `jeton sql`', async () => {
    const { stdout } = await runCli(['sql', 'orders', '--config', configFile()])
    expect(stdout).toBe(exampleIn(page, 'sql'))
  })

  test('has the parameter that the template of `jeton iam` requires', async () => {
    const args = ['iam', 'orders', '--format', 'cloudformation', '--config', configFile()]
    const { Parameters } = parse((await runCli(args)).stdout)
    const documented = /--parameter-overrides (\w+)=/.exec(page)?.[1]
    expect(Object.keys(Parameters)).toEqual([documented])
  })
})

describe('the commands', () => {
  const jetonCommands = code.flatMap(line => {
    const [, command, rest = ''] =
      /\bjeton (audit query|audit verify|[a-z][a-z-]+)( [^|>]*)?/.exec(line) ?? []
    return command === undefined ? [] : [{ command, flags: flagsIn(rest) }]
  })

  test('of jeton exist, with all their options', async () => {
    const commands = [...new Set(jetonCommands.map(({ command }) => command))]
    expect(commands).toEqual(expect.arrayContaining(['apikey', 'audit query', 'check', 'exec', 'iam', 'sql']))
    for (const command of commands) {
      const { code, stdout } = await runCli([...command.split(' '), '--help'])
      expect(code, command).toBe(0)
      const known = flagsIn(stdout.replaceAll(/[\s,]+/g, ' '))
      for (const each of jetonCommands)
        if (each.command === command) expect(known).toEqual(expect.arrayContaining(each.flags))
    }
  })

  test.runIf(hasOsls)('of osls exist, with all their options and parameters', async () => {
    interface Commands extends Map<string, { options?: Record<string, { shortcut?: string }> }> {
      commonOptions: Record<string, { shortcut?: string }>
    }
    const known = createRequire(import.meta.url)(`${OSLS}/lib/cli/commands-schema/aws-service.js`) as Commands
    const oslsCommands = code.flatMap(
      line => /\bosls ((?:deploy list|[a-z]+)\b)(.*)/.exec(line)?.slice(1) ?? [],
    )
    expect(oslsCommands.length).toBeGreaterThan(10)
    for (let at = 0; at < oslsCommands.length; at += 2) {
      const [command = '', rest = ''] = oslsCommands.slice(at)
      expect([...known.keys()]).toContain(command)
      const options = { ...known.commonOptions, ...known.get(command)?.options }
      const flags = Object.entries(options).flatMap(([name, { shortcut }]) => [`--${name}`, `-${shortcut}`])
      expect(flags).toEqual(expect.arrayContaining(flagsIn(rest)))
    }
    const { params } = parse(await text('serverless.yml'), { logLevel: 'error' })
    const documented = [...page.matchAll(/--param="(\w+)=/g)].map(([, name]) => name)
    expect(Object.keys(params.default)).toEqual(expect.arrayContaining(documented))
  })

  test('name only files that exist', async () => {
    const files = new Set([...page.matchAll(/\b(?:infra\/[\w.-]+\w|serverless\.yml)/g)].map(([file]) => file))
    expect(files.size).toBe(4)
    for (const file of files) expect(await text(file)).not.toBe('')
  })
})
