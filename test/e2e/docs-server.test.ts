import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasProgram } from '../support/databases/install.ts'
import { exampleIn, namesIn, readDocsPage, sectionOf } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { type Jeton, runCli, startJeton } from '../support/service/jeton.ts'
import { CLAIMS, startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'

const hasPython = await hasProgram('python3')
const pages = { http: await readDocsPage('http'), operations: await readDocsPage('operations') }

describe('a running server', () => {
  let environment: TestEnvironment
  let jeton: Jeton
  const auditFile = () => join(environment.folder, 'audit.jsonl')

  beforeAll(async () => {
    environment = await startTestEnvironment()
    const config = environment.config({ server: { admin: { port: 0 } } })
    jeton = await startJeton({ config, env: environment.serverEnv, folder: environment.folder })
    const jwt = await environment.issuer.sign(CLAIMS)
    for (const credential of [jwt, jwt, 'x'])
      await jeton.requestToken(`Bearer ${credential}`, { database: 'orders' })
  })
  afterAll(async () => {
    await jeton?.close()
    await environment?.close()
  })

  test('has exactly the metrics of docs/operations.md', async () => {
    const metrics = await (await fetch(`${jeton.admin}/metrics`)).text()
    const known = [...metrics.matchAll(/^# TYPE (jeton_\w+)/gm)].map(([, name]) => name)
    expect(new Set(namesIn(sectionOf(pages.operations, 'Metrics')))).toEqual(new Set(known))
  })

  test('has exactly the endpoints of docs/http.md', async () => {
    const api = (await (await fetch(`${jeton.url}/openapi.json`)).json()) as { paths: Record<string, object> }
    const known = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
    )
    const [overview = ''] = pages.http.split('\n## ')
    expect(new Set(namesIn(overview))).toEqual(new Set(known))
  })

  test.runIf(hasPython)('writes an audit file that the script of docs/operations.md verifies', async () => {
    const script = exampleIn(pages.operations, 'verify')
    const verify = (log: string) => run('python3', ['-c', script], { input: log })
    // Refusals are written in the background.
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
    for (const [change, text] of Object.entries(tampered)) {
      await writeFile(join(environment.folder, change), text)
      expect((await runCli(['audit', 'verify', join(environment.folder, change)])).code, change).toBe(1)
      expect((await verify(text)).stderr, change).toContain('breaks the chain')
    }
  })
})
