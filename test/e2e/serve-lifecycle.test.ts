import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { runCli } from '../support/service/jeton.ts'
import { useServers } from './servers.ts'

const { environment, startServer, bearer, auditFile, allAuditRecords } = useServers()

const typesOf = async () => (await allAuditRecords()).map(({ type }) => type)
const hashOf = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex')

describe('the audit log of a server says what the rules were', () => {
  test('from its start, before it listens, to its stop, which is its last record', async () => {
    const jeton = await startServer()
    const configuration = { source: jeton.configFile, sha256: await hashOf(jeton.configFile) }
    expect(await allAuditRecords()).toMatchObject([
      { type: 'jeton.audit.started', v: 1, jeton: manifest.version, configuration },
    ])
    await jeton.requestToken(await bearer(), { database: 'orders' })
    await jeton.requestToken('Bearer x', { database: 'orders' })
    jeton.process.kill('SIGTERM')
    await jeton.ended
    expect(await typesOf()).toEqual([
      'jeton.audit.started',
      'jeton.audit',
      'jeton.audit',
      'jeton.audit.stopped',
    ])
    expect((await allAuditRecords()).at(-1)).toMatchObject({ configuration, signal: 'SIGTERM' })
    const last = JSON.parse(await jeton.logged('audit_closed')).last
    const { code, stdout } = await runCli(['audit', 'verify', auditFile(), '--expect-last', last])
    expect([code, stdout]).toEqual([0, `ok: 4 records, last ${last}\n`])
  })

  test('and each reload, also one that is refused, with names and no values', async () => {
    const jeton = await startServer()
    await jeton.configure(environment().config({ grants: [] }))
    const sha256 = await hashOf(jeton.configFile)
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    await expect.poll(typesOf).toContain('jeton.audit.reloaded')
    await writeFile(jeton.configFile, '{"apiKeys":{"nightly":{"sha256":"s3cret"}}}')
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_broken')
    await expect.poll(typesOf).toContain('jeton.audit.reload_refused')
    const [, reloaded, refused] = await allAuditRecords()
    expect(reloaded).toMatchObject({
      configuration: { sha256 },
      changes: { grants: { removed: expect.any(Array) } },
    })
    expect(refused).toMatchObject({
      configuration: { sha256: await hashOf(jeton.configFile) },
      problems: expect.any(Number),
    })
    expect(await readFile(auditFile(), 'utf8')).not.toContain('s3cret')
    const { stdout } = await runCli(['audit', 'query', auditFile(), '--type', 'lifecycle', '-o', 'table'])
    expect(stdout).toMatch(/ started .*\n.* reloaded .* grants -.*\n.* reload_refused .*problems: \d/)
  })

  test('without a stop after kill -9: the next start shows it, and the chain continues', async () => {
    const jeton = await startServer()
    jeton.process.kill('SIGKILL')
    await jeton.ended
    await startServer()
    expect(await typesOf()).toEqual(['jeton.audit.started', 'jeton.audit.started'])
    expect((await runCli(['audit', 'verify', auditFile()])).code).toBe(0)
  })

  test('while the audit log fails: what is revoked is refused at once, and the records precede the next token', async () => {
    const { folder } = environment()
    await mkdir(join(folder, 'logs'))
    const audit = [{ type: 'file', path: 'logs/audit.jsonl' }]
    const jeton = await startServer({ audit }, { folder })
    const jwt = await bearer()
    await rename(join(folder, 'logs'), join(folder, 'gone'))
    await jeton.configure(environment().config({ audit, grants: [] }))
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect((await jeton.requestToken(jwt, { database: 'orders' })).body.code).toBe('access_denied')
    await jeton.configure(environment().config({ audit }))
    jeton.process.kill('SIGHUP')
    await expect
      .poll(async () => (await jeton.requestToken(jwt, { database: 'orders' })).body.code)
      .toBe('temporarily_unavailable')
    await rename(join(folder, 'gone'), join(folder, 'logs'))
    await expect.poll(async () => (await jeton.requestToken(jwt, { database: 'orders' })).status).toBe(200)
    const lines = (await readFile(join(folder, 'logs', 'audit.jsonl'), 'utf8')).trim().split('\n')
    const records = lines.map(text => JSON.parse(text))
    const names = records.map(
      ({ type, decision, changes }) => decision ?? Object.keys(changes?.grants ?? {})[0] ?? type,
    )
    expect(names.slice(0, 3)).toEqual(['jeton.audit.started', 'removed', 'added'])
    expect(names.filter(name => name === 'vended')).toHaveLength(1)
  })

  test('on stdout too, after the line that says where it listens', async () => {
    const jeton = await startServer({ audit: [{ type: 'stdout' }] })
    expect(jeton.url).toMatch(/^http/)
    await expect.poll(() => jeton.stdout.length).toBe(1)
    jeton.process.kill('SIGTERM')
    await jeton.ended
    expect(jeton.stdout.map(text => JSON.parse(text).type)).toEqual([
      'jeton.audit.started',
      'jeton.audit.stopped',
    ])
  })
})
