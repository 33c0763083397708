import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { SHARED_OIDC_PROVIDERS } from '../../src/authorization/shared-oidc-providers.ts'
import { ConfigSchema } from '../../src/config/schema.ts'
import { STATUS } from '../../src/errors.ts'
import { TokenReplySchema, TokenRequestSchema } from '../../src/http/schemas.ts'
import { anchorsOf, exampleIn, linksIn, quotedIn, rowsOf, sectionOf } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { type Jeton, runCli, startJeton } from '../support/service/jeton.ts'
import { hasProgram } from '../support/service/path-folder.ts'
import { type Stage, setStage } from '../support/service/scenario.ts'

/** What the documentation says, held against what is there. */
const TOP = new URL('../../', import.meta.url)
const pages = new Map<string, string>()
for (const path of ['README.md', ...(await readdir(new URL('docs/', TOP))).map(name => `docs/${name}`)])
  if (path.endsWith('.md')) pages.set(path, await readFile(new URL(path, TOP), 'utf8'))

const hasPython = await hasProgram('python3')

const page = (name: string) => pages.get(name) ?? expect.unreachable(`there is no ${name}`)
const exists = (path: string) => existsSync(new URL(path, TOP))
/** What the first cells of a section's tables quote. */
const named = (text: string) => rowsOf(text).flatMap(([first = '']) => quotedIn(first))

describe.each([...pages])('%s', (path, text) => {
  test('links to what is there', () => {
    const relative = linksIn(text).filter(target => !/^https?:/.test(target))
    for (const target of relative) {
      const { pathname, hash } = new URL(target, `file:///${path}`)
      const linked = pathname.slice(1)
      expect(exists(linked), target).toBe(true)
      if (hash) expect(anchorsOf(page(linked)), target).toContain(hash.slice(1))
    }
  })

  test('names scripts, benchmarks and files that are there', () => {
    for (const [, script = ''] of text.matchAll(/npm run ([\w:-]+)/g))
      expect(Object.keys(manifest.scripts)).toContain(script)
    const benchmarks = [...text.matchAll(/npm run bench -- ([\w-]+)/g)].map(([, name]) => name)
    const files = [...text.matchAll(/\b(?:src|test|docs|handlers)\/[\w./-]*[\w/]/g)].map(([file]) => file)
    for (const file of [...files, ...benchmarks.map(name => `test/bench/${name}.ts`)])
      expect(exists(file), file).toBe(true)
  })
})

test('the README leads to every page, and names files of src/tokens that are there', () => {
  const targets = linksIn(page('README.md'))
  for (const path of pages.keys()) if (path !== 'README.md') expect(targets).toContain(path)
  const [diagram = ''] = /^request[\s\S]*?^```/m.exec(page('README.md')) ?? []
  const places = [...diagram.matchAll(/^ {6}\w[\w ]*? {2,}([\w-]+(?:\.ts|\/))/gm)].map(([, place]) => place)
  expect(places).toHaveLength(4)
  for (const place of places) expect(exists(`src/tokens/${place}`), place).toBe(true)
})

describe('docs/cli.md', () => {
  const text = page('docs/cli.md')
  const flagsIn = (part: string) => [...part.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag)
  const shared = flagsIn(rowsOf(sectionOf(text, 'For callers')).join())
  const commands = [...text.matchAll(/^## (jeton .+)$/gm)].map(([, command = '']) => command)

  test.each(commands)('has the options that `%s --help` has', async command => {
    const { stdout } = await runCli([...command.split(' ').slice(1), '--help'])
    const isCaller = /^jeton (token|exec)$/.test(command)
    const documented = [...flagsIn(rowsOf(sectionOf(text, command)).join()), ...(isCaller ? shared : [])]
    expect(new Set([...documented, '--help'])).toEqual(new Set(flagsIn(stdout)))
  })

  test('has every command', async () => {
    const { stdout } = await runCli(['--help'])
    const known = [...stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, name]) => name)
    const documented = commands.map(command => command.split(' ')[1])
    expect(new Set([...documented, 'help'])).toEqual(new Set(known))
  })
})

describe('docs/configuration.md', () => {
  const text = page('docs/configuration.md')

  interface Schema {
    properties?: Record<string, Schema>
    patternProperties?: Record<string, Schema>
    items?: Schema
  }

  function keysOf({ properties, patternProperties, items }: Schema, path: string): string[] {
    if (properties)
      return Object.entries(properties).flatMap(([key, below]) =>
        keysOf(below, path ? `${path}.${key}` : key),
      )
    const [named] = Object.values(patternProperties ?? {})
    // a claim may have any name, and lies as deep as in the JWT
    if (named && !path.endsWith('.claims')) return keysOf(named, `${path}.NAME`)
    return items?.properties ? keysOf(items, `${path}[]`) : [path]
  }

  test('has every key', () => {
    const keys = keysOf(ConfigSchema as Schema, '').filter(key => key !== '$schema')
    expect(keys.length).toBeGreaterThan(25)
    expect(new Set(named(sectionOf(text, 'Keys')))).toEqual(new Set(keys))
  })

  test('has what pins an owner on which issuer', () => {
    const rows = rowsOf(sectionOf(text, 'Pinning an owner'))
    const told = rows.map(([issuer, pins = '']) => [issuer, quotedIn(pins)])
    const known = SHARED_OIDC_PROVIDERS.map(({ name, ownerClaims }) => [
      name,
      Object.entries(ownerClaims).flatMap(([claim, shapes]) => [
        claim,
        ...shapes.filter(shape => shape !== 'OWNER'),
      ]),
    ])
    expect(told).toEqual(known)
  })
})

describe('docs/http.md', () => {
  const text = page('docs/http.md')

  test('has every error with its status', () => {
    const told = rowsOf(sectionOf(text, 'Errors')).map(([status, code = '']) => [
      quotedIn(code)[0],
      Number(status),
    ])
    expect(told).toHaveLength(Object.keys(STATUS).length)
    expect(Object.fromEntries(told)).toEqual(STATUS)
  })

  test('has every member of a request and a reply', () => {
    const members = Object.keys({ ...TokenRequestSchema.properties, ...TokenReplySchema.properties })
    expect(new Set(named(sectionOf(text, 'Asking for a token')))).toEqual(new Set(members))
  })
})

describe('a running server', () => {
  let stage: Stage
  let jeton: Jeton
  const auditFile = () => join(stage.folder, 'audit.jsonl')

  beforeAll(async () => {
    stage = await setStage()
    const config = stage.config({ server: { admin: { port: 0 } } })
    jeton = await startJeton({ config, env: stage.env, folder: stage.folder })
    const jwt = await stage.issuer.sign({ repository: 'acme/orders', ref: 'refs/heads/main' })
    for (const credential of [jwt, jwt, 'x']) await jeton.ask(`Bearer ${credential}`, { database: 'orders' })
  })
  afterAll(async () => {
    await jeton?.close()
    await stage?.close()
  })

  test('has the metrics of docs/operations.md', async () => {
    const metrics = await (await fetch(`${jeton.admin}/metrics`)).text()
    const known = [...metrics.matchAll(/^# TYPE (jeton_\w+)/gm)].map(([, name]) => name)
    expect(new Set(named(sectionOf(page('docs/operations.md'), 'Metrics')))).toEqual(new Set(known))
  })

  test('has the endpoints of docs/http.md', async () => {
    const api = (await (await fetch(`${jeton.url}/openapi.json`)).json()) as { paths: Record<string, object> }
    const known = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
    )
    const [overview = ''] = page('docs/http.md').split('## Asking')
    expect(new Set(named(overview))).toEqual(new Set(known))
  })

  test.runIf(hasPython)('writes a log that the script verifies', async () => {
    const script = exampleIn(page('docs/operations.md'), 'verify')
    const verify = (log: string) => run('python3', ['-c', script], { input: log })
    // refusals follow when there is room
    await expect.poll(() => readFile(auditFile(), 'utf8')).toContain('"refused"')
    const log = await readFile(auditFile(), 'utf8')
    const last = /"hash":"(\w+)"\}\n$/.exec(log)?.[1]
    expect(await verify(log)).toMatchObject({ code: 0, stdout: `ok, last ${last}\n` })

    const lines = log.split('\n')
    const tampered = {
      changed: log.replace('"user":"migrator"', '"user":"app_ro"'),
      dropped: [lines[0], ...lines.slice(2)].join('\n'),
      swapped: [lines[1], lines[0], ...lines.slice(2)].join('\n'),
    }
    for (const [how, text] of Object.entries(tampered)) {
      await writeFile(join(stage.folder, how), text)
      expect((await runCli(['audit', 'verify', join(stage.folder, how)])).code, how).toBe(1)
      expect((await verify(text)).stderr, how).toContain('breaks the chain')
    }
  })
})

test('docs/operations.md has every member of a record', () => {
  const whole: Required<AuditRecord> = {
    id: 'id',
    time: 'time',
    requestId: 'id',
    decision: 'refused',
    code: 'access_denied',
    reason: 'reason',
    principal: { issuer: 'ci', subject: 'me' },
    grant: 'grant',
    database: 'orders',
    user: 'migrator',
    identity: 'arn',
    fingerprint: 'hash',
    cached: true,
    issuedAt: 'time',
    expiresAt: 'time',
    refused: 'hash',
    sourceIp: '::1',
    userAgent: 'curl',
    instance: 'host/1',
    count: 1,
    since: 'time',
  }
  const members = [...Object.keys(JSON.parse(renderRecord(whole))), 'prev', 'hash']
  expect(new Set(named(sectionOf(page('docs/operations.md'), 'The audit log')))).toEqual(new Set(members))
})
