import { describe, expect, test } from 'vitest'
import { pinKeys } from '../../src/authentication/issuer-keys.ts'
import type { Principal } from '../../src/authentication/principal.ts'
import { loadConfig } from '../../src/config/load.ts'
import { compileAccessPolicy } from '../../src/vending/access-policy.ts'
import { jwksText, type Sound, sound, written } from '../config/support.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

const keys = JSON.parse(jwksText())

async function rulesOf(config: (config: Sound) => object) {
  const loaded = await loadConfig(await written(config(sound())))
  return compileAccessPolicy(loaded, { clock: virtualClock(), keysOf: () => pinKeys(keys) })
}

const own = (subject: string, claims = {}): Principal => ({ issuer: 'own', subject, claims })

describe('a standing', () => {
  const world = async () => {
    const rules = await rulesOf(config => {
      const { orders } = config.databases
      const grant = { principal: { issuer: 'own', anyone: true }, users: orders.users }
      return {
        ...config,
        databases: { orders, each: orders, billing: { ...orders, dbname: 'billing' } },
        grants: [
          { ...grant, name: 'shared', database: 'orders' },
          { ...grant, name: 'each', database: 'each', session: 'per-principal' },
          { ...grant, name: 'billing', database: 'billing' },
        ],
      }
    })
    return (principal: Principal, name: string, user = 'migrator') => {
      const ask = { database: name, user }
      const decision = rules.accessOf(principal).decide(ask)
      if (decision.kind !== 'granted') throw new Error(`${JSON.stringify(ask)} is ${decision.kind}`)
      return decision.key
    }
  }

  test('gives one key to all principals for a database and user', async () => {
    const keyOf = await world()
    const key = keyOf(own('a'), 'orders')
    expect(key).toMatchObject({
      user: 'migrator',
      sessionName: 'orders.migrator',
      database: { name: 'orders' },
    })
    expect(keyOf(own('b'), 'orders').id).toBe(key.id)
    expect(keyOf(own('a'), 'orders', 'app_ro').id).not.toBe(key.id)
    expect(keyOf(own('a'), 'billing').id).not.toBe(key.id)
  })

  test('gives each principal a key of its own where the grant says so', async () => {
    const keyOf = await world()
    const alice = own('alice')
    expect(keyOf(alice, 'each')).toBe(keyOf(alice, 'each'))
    expect(keyOf(own('alice'), 'each')).toEqual(keyOf(alice, 'each'))
    expect(keyOf(own('bob'), 'each').id).not.toBe(keyOf(alice, 'each').id)
    expect(keyOf(alice, 'each').sessionName).toMatch(/^alice=/)
  })

  test('remembers what was granted, and nothing that was not', async () => {
    const rules = await rulesOf(config => config)
    const standing = rules.accessOf(own('a', { team: 'a' }))
    expect(rules.accessOf(own('a', { team: 'a' }))).not.toBe(standing)
    for (let i = 0; i < 2; i++) expect(standing.decide({ database: 'none', user: 'x' }).kind).toBe('denied')
  })
})

describe('rules', () => {
  test('find a database by its name, and no other', async () => {
    const rules = await rulesOf(config => config)
    expect(rules.database('orders').host).toBe(sound().databases.orders.host)
    expect(() => rules.database('toString')).toThrow('no database is called toString')
  })

  test('tell of a principal the claims that its own issuer’s grants name, and no more', async () => {
    const rules = await rulesOf(config => ({
      ...config,
      grants: [
        { ...config.grants[0], principal: { issuer: 'own', claims: { team: 'a', k8s: { pod: 'b' } } } },
        { ...config.grants[0], name: 'hub', principal: { issuer: 'github', claims: { repository_id: 1 } } },
      ],
    }))
    const principal = own('x', { team: ['a', 'b'], k8s: { pod: 'b', ip: 'c' }, repository_id: 1, email: 'd' })
    expect(rules.accessOf(principal).auditedPrincipal.claims).toEqual({ team: ['a', 'b'], k8s: { pod: 'b' } })
    expect(rules.accessOf(principal).auditedPrincipal.claims).toBe(
      rules.accessOf(principal).auditedPrincipal.claims,
    )
    expect(rules.accessOf({ ...principal, issuer: 'github' }).auditedPrincipal.claims).toEqual({
      repository_id: 1,
    })
    expect(rules.accessOf({ ...principal, issuer: 'apiKey' }).auditedPrincipal.claims).toEqual({})
  })
})
