import { expect, test } from 'vitest'
import { canBeVended, isCredible, isVendable, lifetimeOf, outlivesToken } from '../../src/tokens/lifetime.ts'

const MINUTE = 60_000

test('lifetimeOf lets a token live 15 minutes, to be renewed from 6 minutes before its end', () => {
  const life = lifetimeOf({ issuedAt: 0, sessionExpiresAt: 60 * MINUTE })
  expect(life).toEqual({ issuedAt: 0, refreshAfter: 9 * MINUTE, expiresAt: 15 * MINUTE })
})

test('lifetimeOf ends a token with its role session, and never refreshes it before it was signed', () => {
  expect(lifetimeOf({ issuedAt: 0, sessionExpiresAt: 10 * MINUTE })).toEqual({
    issuedAt: 0,
    refreshAfter: 4 * MINUTE,
    expiresAt: 10 * MINUTE,
  })
  expect(lifetimeOf({ issuedAt: 100, sessionExpiresAt: 5 * MINUTE }).refreshAfter).toBe(100)
})

test('canBeVended refuses what might reach the caller with under 5 minutes left', () => {
  expect(canBeVended({ expiresAt: 5 * MINUTE + 3000 }, 0)).toBe(true)
  expect(canBeVended({ expiresAt: 5 * MINUTE + 2999 }, 0)).toBe(false)
})

test('isVendable refuses a token that ends too soon, or that was signed more than 2 s ahead of now', () => {
  const token = lifetimeOf({ issuedAt: 10_000, sessionExpiresAt: 60 * MINUTE })
  expect(isVendable(token, 8000)).toBe(true)
  expect(isVendable(token, 7999)).toBe(false)
  expect(isVendable(token, token.expiresAt - 5 * MINUTE - 3000)).toBe(true)
  expect(isVendable(token, token.expiresAt - 5 * MINUTE - 2999)).toBe(false)
})

test('outlivesToken takes a role session for fit to sign with while it has 15 minutes', () => {
  expect(outlivesToken({ expiresAt: 15 * MINUTE }, 0)).toBe(true)
  expect(outlivesToken({ expiresAt: 15 * MINUTE }, 1)).toBe(false)
})

test('isCredible refuses times that no token has', () => {
  const token = lifetimeOf({ issuedAt: 10_000, sessionExpiresAt: 60 * MINUTE })
  expect(isCredible(token)).toBe(true)
  expect(isCredible({ ...token, expiresAt: token.expiresAt + 1 })).toBe(false)
  expect(isCredible({ ...token, refreshAfter: token.expiresAt + 1 })).toBe(false)
  expect(isCredible({ ...token, refreshAfter: 9999 })).toBe(false)
  expect(isCredible({ ...token, issuedAt: Number.NaN })).toBe(false)
})
