import { beforeEach, describe, expect, test } from 'vitest'
import { configChanges } from '../../src/config/changes.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { sound, withApiKeys, withServer, written } from './support.ts'

let config: Config
beforeEach(async () => {
  config = await loadConfig(await written(sound()))
})

describe('configChanges', () => {
  test('is empty for the same configuration, read again', async () => {
    expect(configChanges(config, await loadConfig(await written(sound())))).toEqual({})
  })

  test('names what was added, removed and changed in each section, and no value', async () => {
    const [grant = expect.fail()] = config.grants
    const [database = expect.fail()] = config.databases
    const [issuer = expect.fail()] = config.issuers
    const before: Config = {
      ...config,
      grants: [grant, { ...grant, name: 'old' }],
      apiKeys: { kept: ['a'.repeat(64)], rotated: ['b'.repeat(64)], gone: ['c'.repeat(64)] },
    }
    const after: Config = {
      ...config,
      grants: [
        { ...grant, users: ['another'] },
        { ...grant, name: 'new' },
      ],
      apiKeys: { kept: ['a'.repeat(64)], rotated: ['d'.repeat(64)], fresh: ['e'.repeat(64)] },
      databases: [{ ...database, port: 1 }],
      issuers: [...config.issuers, { ...issuer, name: 'second' }],
      operators: [{ name: 'on-call', principal: { issuer: issuer.name, subject: 'another' } }],
    }
    const changes = configChanges(before, after)
    expect(changes).toEqual({
      grants: { added: ['new'], removed: ['old'], changed: [grant.name] },
      apiKeys: { added: ['fresh'], removed: ['gone'], changed: ['rotated'] },
      databases: { changed: [database.name] },
      issuers: { added: ['second'] },
      operators: { added: ['on-call'] },
    })
    expect(JSON.stringify(changes)).not.toMatch(/[a-e]{64}|another/)
  })

  test('names a grant whose times changed', () => {
    const [grant = expect.fail()] = config.grants
    const until = (notAfter: string): Config => ({ ...config, grants: [{ ...grant, notAfter }] })
    const changes = configChanges(until('2026-12-31T18:00:00Z'), until('2027-01-31T18:00:00Z'))
    expect(changes).toEqual({ grants: { changed: [grant.name] } })
  })

  test('names an issuer whose pinned keys changed, though its text did not', () => {
    const [issuer = expect.fail()] = config.issuers
    const withKeys = (kid: string): Config => ({
      ...config,
      issuers: [{ ...issuer, jwks: { keys: [{ kty: 'OKP', kid }] } }],
    })
    expect(configChanges(withKeys('a'), withKeys('a'))).toEqual({})
    expect(configChanges(withKeys('a'), withKeys('b'))).toEqual({ issuers: { changed: [issuer.name] } })
  })

  test('names the sections that have no names in them', async () => {
    const changed = await loadConfig(await written(withServer({ port: 1 })(sound())))
    expect(configChanges(config, { ...changed, audit: [] })).toEqual({ sections: ['server', 'audit'] })
    const keyed = await loadConfig(await written(withApiKeys({ new: { sha256: 'b'.repeat(64) } })(sound())))
    expect(configChanges(config, keyed)).toEqual({ apiKeys: { added: ['new'] } })
  })

  test('says that grants have another order, which decides if several allow a request', () => {
    const [grant = expect.fail()] = config.grants
    const ordered = (...names: string[]): Config => ({
      ...config,
      grants: names.map(name => ({ ...grant, name })),
    })
    const before = ordered('a', 'b', 'c')
    expect(configChanges(before, ordered('b', 'a', 'c'))).toEqual({ grants: { reordered: true } })
    expect(configChanges(before, ordered('c', 'new', 'b'))).toEqual({
      grants: { added: ['new'], removed: ['a'], reordered: true },
    })
    expect(configChanges(before, ordered('new', 'a', 'c'))).toEqual({
      grants: { added: ['new'], removed: ['b'] },
    })
  })

  test('has at most a hundred names in each list, and counts the others', () => {
    const [grant = expect.fail()] = config.grants
    const grants = Array.from({ length: 250 }, (_, i) => ({ ...grant, name: `g${i}` }))
    const { grants: changed } = configChanges({ ...config, grants: [] }, { ...config, grants })
    expect(changed?.added).toHaveLength(100)
    expect(changed?.omitted).toBe(150)
  })
})
