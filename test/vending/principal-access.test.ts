import { expect, test } from 'vitest'
import type { Principal } from '../../src/authentication/principal.ts'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import type { TokenKey } from '../../src/tokens/token-key.ts'
import type { PrincipalAccess } from '../../src/vending/principal-access.ts'
import { countingClaims } from '../authorization/support.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { ALICE, accessOf } from './support.ts'

const anyone: Partial<GrantSpec> = {
  principal: { issuer: 'ci', anyone: true },
  users: ['app_ro', 'migrator'],
}
const named = (subject: string): Principal => ({ issuer: 'ci', subject, claims: {} })

function keyOf(access: PrincipalAccess, database = 'orders', user = 'migrator'): TokenKey {
  const decision = access.decide({ database, user })
  if (decision.kind !== 'granted') throw new Error(`${database} as ${user} is ${decision.kind}`)
  return decision.key
}

test('decide returns one token key to all principals for a database and user', () => {
  const databases = [ORDERS, { ...ORDERS, name: 'billing', dbname: 'billing' }]
  const grants = [anyone, { ...anyone, name: 'billing', database: 'billing' }]
  const [alice, bob] = ['alice', 'bob'].map(name => accessOf(grants, { principal: named(name), databases }))
  if (!alice || !bob) throw new Error('there are two')
  const key = keyOf(alice)
  expect(key).toMatchObject({ database: ORDERS, user: 'migrator', sessionName: 'orders.migrator' })
  expect(keyOf(bob).id).toBe(key.id)
  expect(keyOf(alice, 'orders', 'app_ro').id).not.toBe(key.id)
  expect(keyOf(alice, 'billing').id).not.toBe(key.id)
})

test('decide returns a token key of its own to each principal if the grant says so', () => {
  const grants: Partial<GrantSpec>[] = [{ ...anyone, session: 'per-principal' }]
  const alice = keyOf(accessOf(grants, { principal: named('alice') }))
  expect(alice.sessionName).toMatch(/^alice=/)
  expect(keyOf(accessOf(grants, { principal: named('alice') }))).toEqual(alice)
  expect(keyOf(accessOf(grants, { principal: named('bob') })).id).not.toBe(alice.id)
})

test('decide caches what is granted', () => {
  const access = accessOf([{}])
  const request = { database: 'orders', user: 'migrator' }
  expect(access.decide(request)).toBe(access.decide({ ...request }))
})

test('decide caches no more than 8 requests of a principal, and still decides the others', () => {
  const users = Array.from({ length: 9 }, (_, i) => `user${i}`)
  const access = accessOf([{ users }])
  const decideAll = () => users.map(user => access.decide({ database: 'orders', user }))
  const [first, second] = [decideAll(), decideAll()]
  expect(first.map((decision, i) => decision === second[i])).toEqual([...Array(8).fill(true), false])
  expect(second[8]).toMatchObject({ kind: 'granted', user: 'user8', key: { user: 'user8' } })
})

test('decide does not take one request for another that reads alike', () => {
  const access = accessOf([{ users: ['b'] }])
  expect(access.decide({ database: 'orders', user: 'b' }).kind).toBe('granted')
  expect(access.decide({ database: 'order', user: 'sb' }).kind).toBe('denied')
  expect(access.decide({ database: 'ordersb' }).kind).toBe('denied')
})

test('decide returns the users if several are granted, and denies what is not', () => {
  const access = accessOf([{ users: ['app_ro', 'migrator'] }])
  expect(access.decide({ database: 'orders' })).toEqual({
    kind: 'user-required',
    users: ['app_ro', 'migrator'],
  })
  expect(access.decide({ database: 'orders', user: 'root' })).toEqual({ kind: 'denied' })
  expect(access.decide({ database: 'none', user: 'migrator' })).toEqual({ kind: 'denied' })
})

test('decide looks at the claims once, and at no more for a database that exists', () => {
  const grants: Partial<GrantSpec>[] = Array.from({ length: 200 }, (_, i) => ({
    name: `g${i}`,
    principal: { issuer: 'ci', claims: { team: `*-team-${i}`, ref: 'main' } },
    database: i < 150 ? 'orders' : 'billing',
  }))
  const readsFor = (...databases: string[]) => {
    const { claims, reads } = countingClaims({ team: 'other', ref: 'main' })
    const access = accessOf(grants, { principal: { issuer: 'ci', subject: 'x', claims } })
    const readsBefore = reads()
    for (const database of databases)
      for (const user of ['migrator', undefined, 'no_such_user'])
        expect(access.decide({ database, user })).toEqual({ kind: 'denied' })
    return reads() - readsBefore
  }
  // the one claim that all of them are found by, and another of each
  const READS = 201
  expect(readsFor('orders')).toBe(READS)
  expect(readsFor('billing')).toBe(READS)
  expect(readsFor('no-such-database')).toBe(READS)
  expect(readsFor('orders', 'billing', ...Array.from({ length: 1000 }, (_, i) => `unknown-${i}`))).toBe(READS)
})

test('what is remembered of a principal does not grow with what it asks for in vain', () => {
  const access = accessOf([{}])
  for (let i = 0; i < 1000; i++) access.decide({ database: `unknown-${i}`, user: `user-${i}` })
  // the grant would not be cached if denials took its place
  expect(access.decide({ database: 'orders' })).toBe(access.decide({ database: 'orders' }))
})

test('entitlements look at no claim that a decision has looked at', () => {
  const { claims, reads } = countingClaims({ team: 'ops' })
  const access = accessOf([{}], { principal: { ...ALICE, claims } })
  access.decide({ database: 'orders' })
  const readsBefore = reads()
  for (let i = 0; i < 100; i++)
    expect(access.entitlements()).toEqual([{ database: 'orders', users: ['migrator'] }])
  expect(reads()).toBe(readsBefore)
})

test('reason names the nearest grant', () => {
  const access = accessOf([{}], { principal: { ...ALICE, claims: { team: 'web' } } })
  expect(access.reason({ database: 'orders', user: 'migrator' })).toBe(
    'nearest grant ops: claim team is "web", wanted ops',
  )
})

test('entitlements are those of the principal', () => {
  expect(accessOf([{}]).entitlements()).toEqual([{ database: 'orders', users: ['migrator'] }])
  expect(accessOf([{}], { principal: named('bob') }).entitlements()).toEqual([])
})

test('auditedPrincipal has the claims that its own issuer’s grants name, and no more', () => {
  const grants: Partial<GrantSpec>[] = [
    { principal: { issuer: 'ci', claims: { team: 'ops', k8s: { pod: 'b' } } } },
    { name: 'hub', principal: { issuer: 'github', claims: { repository_id: 1 } } },
  ]
  const claims = { team: ['ops', 'b'], k8s: { pod: 'b', ip: 'c' }, repository_id: 1, email: 'd' }
  const audited = (issuer: string) =>
    accessOf(grants, { principal: { issuer, subject: 'x', claims } }).auditedPrincipal
  expect(audited('ci')).toEqual({
    issuer: 'ci',
    subject: 'x',
    claims: { team: ['ops', 'b'], k8s: { pod: 'b' } },
  })
  expect(audited('github').claims).toEqual({ repository_id: 1 })
  expect(audited('apiKey').claims).toEqual({})
})

test('countedGrant is the first that the principal meets, for whatever database, and is looked for once', () => {
  const grants = [
    { name: 'foreign', principal: { issuer: 'ci', subject: 'bob' } },
    { name: 'second' },
    { name: 'third' },
  ]
  const access = accessOf(grants)
  expect(access.countedGrant()).toBe('second')
  expect(access.countedGrant()).toBe('second')
})

test('countedGrant is rather one that names the subject: there no others count with it', () => {
  const wide = { name: 'wide', principal: { issuer: 'ci', subject: '*' } }
  const named = (subject: string | string[]) => ({ name: 'named', principal: { issuer: 'ci', subject } })
  expect(accessOf([wide, named('alice')]).countedGrant()).toBe('named')
  expect(accessOf([wide, named(['bob', 'alice'])]).countedGrant()).toBe('named')
  expect(accessOf([wide, named(['alice', 'b*'])]).countedGrant()).toBe('wide')
  expect(accessOf([wide, named('bob')]).countedGrant()).toBe('wide')
})

test('countedGrant is undefined for a principal that meets none, and is looked for once', () => {
  let looks = 0
  const claims = {
    get team() {
      looks++
      return 'other'
    },
  }
  const access = accessOf([{}], { principal: { issuer: 'ci', subject: 'mallory', claims } })
  looks = 0
  expect(access.countedGrant()).toBeUndefined()
  expect(looks).toBeGreaterThan(0)
  looks = 0
  expect(access.countedGrant()).toBeUndefined()
  expect(looks).toBe(0)
})

const START = Date.parse('2026-11-23T10:00:00Z')
const SHORT = { notBefore: '2026-11-23T10:00:00Z', notAfter: '2026-11-23T10:00:05Z' }

/** What one principal may have, on a clock that the test sets, with how often it was looked at. */
function timedAccess(grants: readonly Partial<GrantSpec>[]) {
  const clock = { ms: START, looks: 0 }
  const now = () => {
    clock.looks++
    return clock.ms
  }
  return { access: accessOf(grants, { now }), clock }
}

test('grants without times look at no clock once they are known, nor does what they granted', () => {
  const { access, clock } = timedAccess([{}, { name: 'second', users: ['app_ro'] }])
  const request = { database: 'orders', user: 'migrator' }
  const granted = access.decide(request)
  if (granted.kind !== 'granted') expect.fail('it is granted')
  clock.looks = 0
  for (let i = 0; i < 100; i++) {
    expect(access.decide(request)).toBe(granted)
    expect(access.isCurrent(granted)).toBe(true)
    access.entitlements()
    access.countedGrant()
  }
  expect(clock.looks).toBe(0)
})

test('a grant with times is decided once while it is in force, for one look at the clock each time', () => {
  const { access, clock } = timedAccess([SHORT])
  const granted = access.decide({ database: 'orders' })
  clock.looks = 0
  for (let i = 0; i < 100; i++) expect(access.decide({ database: 'orders' })).toBe(granted)
  expect(clock.looks).toBe(100)
})

test('a principal that was looked at before its grant began gets it as it begins, and loses it as it ends', () => {
  const { access, clock } = timedAccess([SHORT])
  const kindAt = (ms: number) => {
    clock.ms = START + ms
    return access.decide({ database: 'orders', user: 'migrator' }).kind
  }
  const times = [-1, 0, 5000, 5001, 60_000, 5000, -1, 0]
  expect(times.map(kindAt)).toEqual([
    'denied',
    'granted',
    'granted',
    'denied',
    'denied',
    'granted',
    'denied',
    'granted',
  ])
})

test('entitlements, the reason and countedGrant know the time', () => {
  const { access, clock } = timedAccess([SHORT, { name: 'always', users: ['app_ro'] }])
  const request = { database: 'orders', user: 'migrator' }
  expect(access.entitlements()).toEqual([{ database: 'orders', users: ['migrator', 'app_ro'] }])
  expect(access.countedGrant()).toBe('ops')
  clock.ms = START + 5001
  expect(access.entitlements()).toEqual([{ database: 'orders', users: ['app_ro'] }])
  expect(access.countedGrant()).toBe('always')
  expect(access.reason(request)).toBe('nearest grant ops: ended at 2026-11-23T10:00:05Z')
  clock.ms = START - 1
  expect(access.reason(request)).toBe('nearest grant ops: begins at 2026-11-23T10:00:00Z')
})

test('whose only grant has ended counts with the issuer’s strangers, not with those who are entitled', () => {
  const { access, clock } = timedAccess([SHORT])
  clock.ms = START + 5001
  expect(access.countedGrant()).toBeUndefined()
})
