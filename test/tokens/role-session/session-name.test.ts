import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sessionName } from '../../../src/tokens/role-session/session-name.ts'

const LEGAL = /^[\w+=,.@-]{2,64}$/

test('sessionName is DATABASE.USER if that is legal', () => {
  expect(sessionName({ database: 'orders', user: 'migrator' })).toBe('orders.migrator')
  expect(sessionName({ database: 'a', user: 'app_ro@x' })).toBe('a.app_ro@x')
})

test('sessionName begins readably and ends with 128 bits of a hash if it is not', () => {
  expect(sessionName({ database: 'orders', user: 'app user' })).toMatch(/^orders=app-user=[0-9a-f]{32}$/)
  const long = sessionName({ database: 'd'.repeat(32), user: 'u'.repeat(63) })
  expect(long).toMatch(/^d{31}=[0-9a-f]{32}$/)
  expect(long).toHaveLength(64)
})

test('sessionName for a session of its own begins with the subject of the principal', () => {
  const principal = { issuer: 'github', subject: 'repo:acme/orders:ref:refs/heads/main' }
  expect(sessionName({ database: 'orders', user: 'migrator', principal })).toMatch(
    /^repo-acme-orders-ref-refs-heads=[0-9a-f]{32}$/,
  )
})

test('sessionName is always legal, and no two keys share one', () => {
  const database = fc.stringMatching(/^[a-z0-9-]{1,32}$/)
  const text = fc.oneof(fc.string({ minLength: 1, maxLength: 80 }), fc.stringMatching(/^[\w.=@-]{1,60}$/))
  const principal = fc.option(fc.record({ issuer: text, subject: text }), { nil: undefined })
  const key = fc.record({ database, user: text, principal })
  fc.assert(
    fc.property(key, key, (one, other) => {
      expect(sessionName(one)).toMatch(LEGAL)
      fc.pre(JSON.stringify(one) !== JSON.stringify(other))
      expect(sessionName(one)).not.toBe(sessionName(other))
    }),
  )
})

test('sessionName of a chosen subject is never that of a shared session, nor of another principal', () => {
  const shared = sessionName({ database: 'orders', user: 'app_rw' })
  const subjects = ['orders.app_rw', 'orders.app_rw\n', 'orders', 'orders.app_rw=']
  const names = subjects.map(subject =>
    sessionName({ database: 'orders', user: 'app_ro', principal: { issuer: 'github', subject } }),
  )
  expect(names).not.toContain(shared)
  expect(new Set(names).size).toBe(subjects.length)
})

test('sessionName differs though what was cut or replaced leaves the same beginning', () => {
  const user = (last: string) => sessionName({ database: 'orders', user: `${'x'.repeat(60)}${last}` })
  expect(user('1')).not.toBe(user('2'))
  expect(sessionName({ database: 'orders', user: 'a b' })).not.toBe(
    sessionName({ database: 'orders', user: 'a/b' }),
  )
})

test('sessionName is the same in every release: a fleet shares one role session for each name', () => {
  const principal = { issuer: 'github', subject: 'repo:acme/orders:ref:refs/heads/main' }
  expect(sessionName({ database: 'orders', user: 'app user' })).toBe(
    'orders=app-user=3bb872e04b245ea71dc5f70981b3b43e',
  )
  expect(sessionName({ database: 'orders', user: 'migrator', principal })).toBe(
    'repo-acme-orders-ref-refs-heads=225c9c1a8cb545c3aaeab932fe85189b',
  )
})
