import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sessionName } from '../../../src/tokens/role-session/session-name.ts'

const LEGAL = /^[\w+=,.@-]{2,64}$/

test('is DATABASE.USER where that is legal', () => {
  expect(sessionName({ database: 'orders', user: 'migrator' })).toBe('orders.migrator')
  expect(sessionName({ database: 'a', user: 'app_ro@x' })).toBe('a.app_ro@x')
})

test('begins readably and ends with 128 bits of a hash where it is not', () => {
  expect(sessionName({ database: 'orders', user: 'app user' })).toMatch(/^orders=app-user=[0-9a-f]{32}$/)
  const long = sessionName({ database: 'd'.repeat(32), user: 'u'.repeat(63) })
  expect(long).toMatch(/^d{31}=[0-9a-f]{32}$/)
  expect(long).toHaveLength(64)
})

test("a principal's own begins with its subject", () => {
  const principal = { issuer: 'github', subject: 'repo:acme/orders:ref:refs/heads/main' }
  expect(sessionName({ database: 'orders', user: 'migrator', principal })).toMatch(
    /^repo-acme-orders-ref-refs-heads=[0-9a-f]{32}$/,
  )
})

test('is always legal, and no two keys share one', () => {
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

test('an attacker who chooses a subject cannot take the name of a shared session, nor of another principal', () => {
  const shared = sessionName({ database: 'orders', user: 'app_rw' })
  const takers = ['orders.app_rw', 'orders.app_rw\n', 'orders', 'orders.app_rw=']
  const names = takers.map(subject =>
    sessionName({ database: 'orders', user: 'app_ro', principal: { issuer: 'github', subject } }),
  )
  expect(names).not.toContain(shared)
  expect(new Set(names).size).toBe(takers.length)
})

test('the same cut and cleaned beginning still gives different names', () => {
  const user = (last: string) => sessionName({ database: 'orders', user: `${'x'.repeat(60)}${last}` })
  expect(user('1')).not.toBe(user('2'))
  expect(sessionName({ database: 'orders', user: 'a b' })).not.toBe(
    sessionName({ database: 'orders', user: 'a/b' }),
  )
})
