import { expect, test } from 'vitest'
import {
  type CachedToken,
  createEntry,
  hasRecentRead,
  isRejected,
  isSuccessor,
  useShared,
} from '../../src/tokens/cache-entry.ts'
import { ALREADY_DELIVERED } from '../../src/tokens/first-delivery.ts'
import type { SessionProvider } from '../../src/tokens/role-session/session-provider.ts'
import { storedToken } from './fakes.ts'
import { KEY, MINUTE, OWNER } from './instances.ts'

const SESSION: SessionProvider = {
  isFit: () => false,
  isBeingRenewed: () => false,
  check() {},
  renew: () => Promise.reject(new Error('not called')),
  getForSigning: () => Promise.reject(new Error('not called')),
  expiresAt: undefined,
  markUsed() {},
  discard() {},
}

test('useShared makes the token of another instance the current one, delivered and not minted here', async () => {
  const entry = createEntry(KEY, SESSION)
  const stored = storedToken(MINUTE)
  const cachedToken = useShared(entry, stored)
  expect(cachedToken).toMatchObject({ ...stored, mintedHere: false })
  expect(entry.current).toBe(cachedToken)
  expect(await cachedToken.deliver(OWNER)).toBeUndefined()
})

test('useShared keeps the current token if it is the same: it knows its delivery', () => {
  const entry = createEntry(KEY, SESSION)
  const minted: CachedToken = { ...storedToken(MINUTE), ...ALREADY_DELIVERED, mintedHere: true }
  entry.current = minted
  expect(useShared(entry, storedToken(MINUTE))).toBe(minted)
  expect(entry.current).toBe(minted)
  expect(useShared(entry, storedToken(2 * MINUTE))).not.toBe(minted)
})

test('isSuccessor holds for a vendable token that was minted later', () => {
  const current = storedToken(MINUTE)
  const now = 2 * MINUTE
  expect(isSuccessor(storedToken(MINUTE + 1), { current, now })).toBe(true)
  expect(isSuccessor(undefined, { current, now })).toBe(false)
  expect(isSuccessor(storedToken(MINUTE), { current, now })).toBe(false)
  expect(isSuccessor(storedToken(MINUTE - 1), { current, now })).toBe(false)
  expect(isSuccessor(storedToken(MINUTE + 1), { current, now: 13 * MINUTE })).toBe(false)
})

test('isRejected holds for the very token of the report', () => {
  const stored = storedToken(MINUTE)
  expect(isRejected(stored, stored.token.fingerprint)).toBe(true)
  expect(isRejected(stored, 'another')).toBe(false)
  expect(isRejected(stored, undefined)).toBe(false)
  expect(isRejected(undefined, undefined)).toBe(false)
})

test('hasRecentRead holds for a second, and not if the clock was put back behind the read', () => {
  const entry = createEntry(KEY, SESSION)
  entry.lastReadAt = 10_000
  expect([9999, 10_000, 10_999, 11_000].map(now => hasRecentRead(entry, now))).toEqual([
    false,
    true,
    true,
    false,
  ])
})
