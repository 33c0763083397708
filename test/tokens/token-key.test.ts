import { expect, test } from 'vitest'
import { tokenKey } from '../../src/tokens/token-key.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { KEY } from './instances.ts'

test('tokenKey returns another key for every user, endpoint, role, external id and principal', () => {
  const keys = [
    KEY,
    tokenKey({ database: ORDERS, user: 'app_ro' }),
    tokenKey({ database: { ...ORDERS, port: 5433 }, user: 'migrator' }),
    tokenKey({ database: { ...ORDERS, roleArn: `${ORDERS.roleArn}2` }, user: 'migrator' }),
    tokenKey({ database: { ...ORDERS, externalId: 'x' }, user: 'migrator' }),
    tokenKey({ database: ORDERS, user: 'migrator', principal: { issuer: 'github', subject: 'a' } }),
    tokenKey({ database: ORDERS, user: 'migrator', principal: { issuer: 'gitlab', subject: 'a' } }),
  ]
  expect(new Set(keys.map(({ id }) => id)).size).toBe(7)
})

test('tokenKey keeps the id when a limit changes: the token stays valid', () => {
  expect(tokenKey({ database: { ...ORDERS, newTokensPerSecond: 2 }, user: 'migrator' }).id).toBe(KEY.id)
})

test('tokenKey returns the ids that stored records have had so far', () => {
  expect(KEY.id).toBe('ca1f368657fa7929c276e0440bfbd56a1488158aa3351af9f2cebf5ecfa72dae')
  const principal = { issuer: 'github', subject: 'repo:acme/orders' }
  const key = tokenKey({ database: { ...ORDERS, externalId: 'jeton-1' }, user: 'app_ro', principal })
  expect(key.id).toBe('89051227ecef989aba6407ac99ffcf04382dc977d46f6fe3408e1419b857cb9d')
})
