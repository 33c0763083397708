import { expect, test } from 'vitest'
import { createApiKeyScheme, newApiKey } from '../../src/authentication/api-key.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { refusal } from './support.ts'

test('a key proves its name, and always as the same principal', async () => {
  const [report, backup] = [newApiKey(), newApiKey()]
  const way = createApiKeyScheme({ keys: { report: [report.sha256], backup: [backup.sha256.toUpperCase()] } })
  const principal = await way.authenticate(report.key)
  expect(principal).toEqual({ issuer: 'apiKey', subject: 'report', claims: {} })
  expect(await way.authenticate(report.key)).toBe(principal)
  expect((await way.authenticate(backup.key)).subject).toBe('backup')
})

test('of two keys, to rotate, either is good', async () => {
  const [old, next] = [newApiKey(), newApiKey()]
  const way = createApiKeyScheme({ keys: { report: [old.sha256, next.sha256] } })
  expect(await way.authenticate(old.key)).toBe(await way.authenticate(next.key))
})

test('the hash that the configuration holds is no key', async () => {
  const { key, sha256 } = newApiKey()
  const way = createApiKeyScheme({ keys: { report: [sha256] } })
  for (const wrong of [
    sha256,
    sha256Hex(sha256),
    key.slice(0, -1),
    `${key}x`,
    key.toUpperCase(),
    'report',
    '',
  ]) {
    const error = await refusal(way.authenticate(wrong))
    expect(error.code).toBe('unauthenticated')
    expect(error.message).toBe('the API key is not known')
  }
})

test('without configured keys nothing is let in', async () => {
  const way = createApiKeyScheme({ keys: {} })
  expect((await refusal(way.authenticate(newApiKey().key))).code).toBe('unauthenticated')
})

test('a hash that is none is refused at the start, not compared', () => {
  for (const hash of ['', 'zz', 'a'.repeat(63), 'a'.repeat(65), 'g'.repeat(64)])
    expect(() => createApiKeyScheme({ keys: { report: [hash] } })).toThrow('apiKeys.report')
})

test('new keys are 256 random bits under a prefix that scanners can find', () => {
  const keys = Array.from({ length: 100 }, newApiKey)
  for (const { key, sha256 } of keys) {
    expect(key).toMatch(/^jeton_[\w-]{43}$/)
    expect(sha256).toBe(sha256Hex(key))
  }
  expect(new Set(keys.map(({ key }) => key)).size).toBe(100)
})
