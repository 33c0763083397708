import { readFile, writeFile } from 'node:fs/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { createReloader, type RefusedConfig, reload, restartOnlyChanges } from '../../src/config/reload.ts'
import type { ConfigSource } from '../../src/config/source/source.ts'
import { createLogRecorder, eventsOf, type LogRecorder } from '../support/service/log-recorder.ts'
import { sound, withApiKeys, withAudit, withServer, written } from './support.ts'

/** Without a table, stdout would be the only log, which is warned of. */
const quiet = () => withAudit([{ type: 'dynamodb', table: 'jeton-audit' }])(sound())

const BROKEN = [{ path: 'grants', message: 'is required' }]

let log: LogRecorder
let config: Config
let applied: Config[]
const apply = (changed: Config) => void applied.push(changed)
const events = () => eventsOf(log)

beforeEach(async () => {
  log = createLogRecorder()
  config = await loadConfig(await written(quiet()))
  applied = []
})

describe('reload', () => {
  test('applies the configuration and returns no problems', async () => {
    const changed = { ...config, grants: [] }
    expect(await reload({ config, log, load: async () => changed, apply })).toEqual([])
    expect(applied).toEqual([changed])
    expect(log.lines).toMatchObject([
      { level: 'info', fields: { event: 'configuration_reloaded', grants: 0, databases: 1 } },
    ])
  })

  test('warns of nothing that did not change, whatever was started with the configuration', async () => {
    const path = await written(withServer({ admin: { port: 9000 }, connections: { max: 10 } })(quiet()))
    const [started, read] = [await loadConfig(path), await loadConfig(path)]
    // a part that is given an object of the configuration, as Fastify was, may try to write into it
    expect(() => Object.assign(started.server.admin ?? {}, { cb: () => {} })).toThrow(TypeError)
    await reload({ config: started, log, load: async () => read, apply })
    expect(events()).toEqual(['configuration_reloaded'])
  })

  test('warns of each section that changes only at a restart', async () => {
    const changed: Config = { ...config, audit: [], server: { ...config.server, port: 1 } }
    await reload({ config, log, load: async () => changed, apply })
    expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      {
        fields: {
          event: 'restart_needed',
          part: 'server',
          changes: [{ key: 'server.port', from: 8080, to: 1 }],
        },
      },
      {
        fields: {
          event: 'restart_needed',
          part: 'audit',
          changes: [
            { key: 'audit[0].type', from: 'dynamodb' },
            { key: 'audit[0].table', from: 'jeton-audit' },
          ],
        },
      },
    ])
    expect(applied).toEqual([changed])
  })

  test('logs what is doubtful in the new one', async () => {
    const claims = { hd: 'example.com', email_verified: true }
    const path = await written({
      ...quiet(),
      issuers: { google: { issuer: 'https://accounts.google.com', audience: 'jeton' } },
      grants: [{ ...sound().grants[0], principal: { issuer: 'google', claims } }],
    })
    await reload({ config, log, load: () => loadConfig(path), apply })
    const [doubt] = log.lines
    expect(doubt?.level).toBe('warn')
    expect(doubt?.fields).toEqual({
      event: 'configuration_doubtful',
      path: 'grants[0].principal',
      grant: 'deploy',
      problem: expect.stringMatching(/^only hd pins/),
      file: path,
      line: 28,
      column: 7,
    })
    expect(events()).toEqual(['configuration_doubtful', 'configuration_reloaded'])
  })

  test('logs what is doubtful in plain JSON by its path alone, which a cold start has not to search for', async () => {
    const path = await written({
      ...quiet(),
      grants: [{ ...sound().grants[0], principal: { issuer: 'github', claims: { repository: 'a/b' } } }],
    })
    const logged = async (text?: string) => {
      if (text !== undefined) await writeFile(path, text)
      log.lines.length = 0
      await reload({ config, log, load: () => loadConfig(path, { purpose: 'start' }), apply })
      return log.lines[0]?.fields
    }
    const doubt = {
      event: 'configuration_doubtful',
      path: 'grants[0].principal',
      grant: 'deploy',
      file: path,
    }
    const inJson = await logged()
    expect(inJson).toMatchObject(doubt)
    expect(inJson).not.toHaveProperty('line')
    expect(await logged(`# as YAML\n${await readFile(path, 'utf8')}`)).toMatchObject({
      ...doubt,
      line: expect.any(Number),
    })
  })

  test.each([
    ['is broken', new ConfigError(BROKEN), BROKEN],
    ['fails to load', new Error('s3cret'), [{ path: '', message: 'cannot be read' }]],
  ])('keeps the previous configuration if the new one %s', async (_, cause, problems) => {
    expect(await reload({ config, log, load: () => Promise.reject(cause), apply })).toEqual(problems)
    expect(applied).toEqual([])
    expect(log.lines).toMatchObject([{ level: 'error', fields: { event: 'configuration_broken', problems } }])
    expect(JSON.stringify(log.lines)).not.toContain('s3cret')
  })

  test('tells what was refused: how many problems it has, and of what text, if it was read', async () => {
    const origin = { sha256: 'a'.repeat(64), files: {} }
    const refused: RefusedConfig[] = []
    const onRefused = (refusal: RefusedConfig) => void refused.push(refusal)
    for (const cause of [new ConfigError(BROKEN, origin), new Error('s3cret')])
      await reload({ config, log, load: () => Promise.reject(cause), apply, onRefused })
    expect(refused).toEqual([
      { origin, problems: 1 },
      { origin: undefined, problems: 1 },
    ])
  })
})

describe('createReloader', () => {
  let text: string
  let checks: number
  /** What `hasChanged` returns or throws. */
  let changed: () => boolean
  const source: ConfigSource = {
    read: async () => ({
      file: 'jeton.yaml',
      text,
      files: { resolve: path => path, read: async () => undefined },
    }),
    async hasChanged() {
      checks++
      return changed()
    },
  }
  const reloader = () => createReloader({ source, config, log, apply })

  beforeEach(() => {
    text = JSON.stringify(quiet())
    checks = 0
    changed = () => true
  })

  test('applies a changed configuration and leaves an unchanged one alone', async () => {
    const check = reloader()
    await check()
    expect(applied.map(({ grants }) => grants.length)).toEqual([1])
    changed = () => false
    await check()
    expect(applied).toHaveLength(1)
    expect(events()).toEqual(['configuration_reloaded'])
  })

  test('checks once for concurrent callers, and again later', async () => {
    const check = reloader()
    await Promise.all([check(), check(), check()])
    expect(checks).toBe(1)
    await check()
    expect(checks).toBe(2)
  })

  test('logs a broken configuration at each check until it is mended', async () => {
    const check = reloader()
    text = '{}'
    await check()
    changed = () => false
    await check()
    expect(events()).toEqual(['configuration_broken', 'configuration_broken'])
    expect(log.lines[1]?.fields).toEqual(log.lines[0]?.fields)
    text = JSON.stringify(quiet())
    changed = () => true
    await check()
    changed = () => false
    await check()
    expect(events().slice(2)).toEqual(['configuration_reloaded'])
    expect(applied).toHaveLength(1)
  })

  test('logs a source that does not answer, and does not reject', async () => {
    changed = () => {
      throw new Error('AccessDenied (403)')
    }
    await reloader()()
    expect(log.lines).toMatchObject([
      { level: 'error', fields: { event: 'configuration_unreadable', reason: 'AccessDenied (403)' } },
    ])
    expect(applied).toEqual([])
  })
})

describe('restartOnlyChanges', () => {
  const load = async (change: (config: ReturnType<typeof sound>) => object) =>
    loadConfig(await written(change(quiet())))

  test('returns nothing for issuers, keys, databases and grants', async () => {
    const changed = await load(base => ({
      ...withApiKeys({ new: { sha256: 'b'.repeat(64) } })(base),
      grants: [],
    }))
    expect(restartOnlyChanges(config, changed)).toEqual([])
  })

  test('returns the keys that differ', async () => {
    const changed = await load(withServer({ port: 1 }))
    const changes = restartOnlyChanges(config, { ...changed, audit: [] })
    expect(changes.map(({ key }) => key)).toEqual(['server.port', 'audit[0].type', 'audit[0].table'])
  })

  test('returns the certificate if TLS is added, and nothing for a renewed one', () => {
    const withTls = (cert: string): Config => ({
      ...config,
      server: { ...config.server, tls: { cert, key: '' } },
    })
    expect(restartOnlyChanges(config, withTls('one'))).toEqual([{ section: 'server', key: 'server.tls' }])
    expect(restartOnlyChanges(withTls('one'), withTls('two'))).toEqual([])
  })

  test('does the same for the certificate of the admin listener', () => {
    const withAdmin = (tls?: Config['server']['tls']): Config => ({
      ...config,
      server: { ...config.server, admin: { host: '127.0.0.1', port: 1, tls } },
    })
    const [one, two] = ['one', 'two'].map(cert => withAdmin({ cert, key: 's3cret' })) as [Config, Config]
    expect(restartOnlyChanges(withAdmin(), one)).toEqual([{ section: 'server', key: 'server.admin.tls' }])
    expect(restartOnlyChanges(one, two)).toEqual([])
  })
})
