import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { compileRules } from '../../src/config/rules.ts'
import type { CompiledGrant } from '../../src/grants/compile.ts'
import { pinnedKeys } from '../../src/principals/key-set.ts'
import type { Principal } from '../../src/principals/principal.ts'
import { virtualClock } from '../world/clock.ts'
import { jwksText, type Sound, sound, written } from './support.ts'

const keys = JSON.parse(jwksText())

async function rulesOf(config: (config: Sound) => object) {
  const loaded = await loadConfig(await written(config(sound())))
  return compileRules(loaded, { clock: virtualClock(), keysOf: () => pinnedKeys(keys) })
}

const own = (subject: string, claims = {}): Principal => ({ issuer: 'own', subject, claims })

describe('keyOf', () => {
  const world = async () => {
    const rules = await rulesOf(config => {
      const [grant] = config.grants
      const { orders } = config.databases
      return {
        ...config,
        databases: { orders, billing: { ...orders, dbname: 'billing' } },
        grants: [
          grant,
          { ...grant, name: 'again' },
          { ...grant, name: 'each', session: 'per-principal' },
          { ...grant, name: 'billing', database: 'billing' },
        ],
      }
    })
    return {
      rules,
      of: (name: string) => rules.grants.all.find(grant => grant.name === name) as CompiledGrant,
    }
  }

  it('gives one key to all principals of all grants for a database and user', async () => {
    const { rules, of } = await world()
    const key = rules.keyOf(of('deploy'), { user: 'migrator', principal: own('a') })
    expect(key).toMatchObject({
      user: 'migrator',
      sessionName: 'orders.migrator',
      database: { name: 'orders' },
    })
    expect(rules.keyOf(of('again'), { user: 'migrator', principal: own('b') })).toBe(key)
    expect(rules.keyOf(of('deploy'), { user: 'app_ro', principal: own('a') }).id).not.toBe(key.id)
    expect(rules.keyOf(of('billing'), { user: 'migrator', principal: own('a') }).id).not.toBe(key.id)
  })

  it('gives each principal a key of its own where the grant says so', async () => {
    const { rules, of } = await world()
    const ask = (principal: Principal) => rules.keyOf(of('each'), { user: 'migrator', principal })
    const alice = own('alice')
    expect(ask(alice)).toBe(ask(alice))
    expect(ask(own('alice', { run: 2 }))).toEqual(ask(alice))
    const others = [own('bob'), { ...alice, issuer: 'github' }].map(ask)
    const shared = rules.keyOf(of('deploy'), { user: 'migrator', principal: alice })
    expect(new Set([...others, shared, ask(alice)].map(({ id }) => id)).size).toBe(4)
    expect(ask(alice).sessionName).toMatch(/^alice=/)
  })
})

describe('rules', () => {
  it('find a database by its name, and no other', async () => {
    const rules = await rulesOf(config => config)
    expect(rules.database('orders').host).toBe(sound().databases.orders.host)
    expect(() => rules.database('toString')).toThrow('no database is called toString')
  })

  it('tell of a principal the claims that its own issuer’s grants name, and no more', async () => {
    const rules = await rulesOf(config => ({
      ...config,
      grants: [
        { ...config.grants[0], principal: { issuer: 'own', claims: { team: 'a', k8s: { pod: 'b' } } } },
        { ...config.grants[0], name: 'hub', principal: { issuer: 'github', claims: { repository_id: 1 } } },
      ],
    }))
    const principal = own('x', { team: ['a', 'b'], k8s: { pod: 'b', ip: 'c' }, repository_id: 1, email: 'd' })
    expect(rules.recordedClaims(principal)).toEqual({ team: ['a', 'b'], k8s: { pod: 'b' } })
    expect(rules.recordedClaims(principal)).toBe(rules.recordedClaims(principal))
    expect(rules.recordedClaims({ ...principal, issuer: 'github' })).toEqual({ repository_id: 1 })
    expect(rules.recordedClaims({ ...principal, issuer: 'apiKey' })).toEqual({})
  })
})
