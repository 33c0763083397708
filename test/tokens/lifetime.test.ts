import { expect, test } from 'vitest'
import { canBeVended, lifetimeOf, outlivesToken } from '../../src/tokens/lifetime.ts'

const MINUTE = 60_000

test('a token lives 15 minutes and is renewed from 6 minutes before its end', () => {
  const life = lifetimeOf({ issuedAt: 0, sessionExpiresAt: 60 * MINUTE })
  expect(life).toEqual({ issuedAt: 0, refreshAfter: 9 * MINUTE, expiresAt: 15 * MINUTE })
})

test('it ends with the role session that signed it, and is never to be renewed before it was signed', () => {
  expect(lifetimeOf({ issuedAt: 0, sessionExpiresAt: 10 * MINUTE })).toEqual({
    issuedAt: 0,
    refreshAfter: 4 * MINUTE,
    expiresAt: 10 * MINUTE,
  })
  expect(lifetimeOf({ issuedAt: 100, sessionExpiresAt: 5 * MINUTE }).refreshAfter).toBe(100)
})

test('nothing is vended that might reach the caller with under 5 minutes left', () => {
  expect(canBeVended({ expiresAt: 5 * MINUTE + 3000 }, 0)).toBe(true)
  expect(canBeVended({ expiresAt: 5 * MINUTE + 2999 }, 0)).toBe(false)
})

test('a role session is fit to sign with while it has 15 minutes', () => {
  expect(outlivesToken({ expiresAt: 15 * MINUTE }, 0)).toBe(true)
  expect(outlivesToken({ expiresAt: 15 * MINUTE }, 1)).toBe(false)
})
