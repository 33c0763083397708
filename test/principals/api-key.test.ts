import { expect, test } from 'vitest'
import { sha256Hex } from '../../src/digest.ts'
import { createApiKeys, newApiKey } from '../../src/principals/api-key.ts'
import { refusal } from './support.ts'

test('a key proves its name, and always as the same principal', async () => {
  const [report, backup] = [newApiKey(), newApiKey()]
  const way = createApiKeys({ keys: { report: [report.sha256], backup: [backup.sha256.toUpperCase()] } })
  const principal = await way.identify(report.key)
  expect(principal).toEqual({ issuer: 'apiKey', subject: 'report', claims: {} })
  expect(await way.identify(report.key)).toBe(principal)
  expect((await way.identify(backup.key)).subject).toBe('backup')
})

test('of two keys, to rotate, either is good', async () => {
  const [old, next] = [newApiKey(), newApiKey()]
  const way = createApiKeys({ keys: { report: [old.sha256, next.sha256] } })
  expect(await way.identify(old.key)).toBe(await way.identify(next.key))
})

test('the hash that the configuration holds is no key', async () => {
  const { key, sha256 } = newApiKey()
  const way = createApiKeys({ keys: { report: [sha256] } })
  for (const wrong of [
    sha256,
    sha256Hex(sha256),
    key.slice(0, -1),
    `${key}x`,
    key.toUpperCase(),
    'report',
    '',
  ]) {
    const error = await refusal(way.identify(wrong))
    expect(error.code).toBe('unauthenticated')
    expect(error.message).toBe('the API key is not known')
  }
})

test('without configured keys nothing is let in', async () => {
  const way = createApiKeys({ keys: {} })
  expect((await refusal(way.identify(newApiKey().key))).code).toBe('unauthenticated')
})

test('a hash that is none is refused at the start, not compared', () => {
  for (const hash of ['', 'zz', 'a'.repeat(63), 'a'.repeat(65), 'g'.repeat(64)])
    expect(() => createApiKeys({ keys: { report: [hash] } })).toThrow('apiKeys.report')
})

test('new keys are 256 random bits under a prefix that scanners can find', () => {
  const keys = Array.from({ length: 100 }, newApiKey)
  for (const { key, sha256 } of keys) {
    expect(key).toMatch(/^jeton_[\w-]{43}$/)
    expect(sha256).toBe(sha256Hex(key))
  }
  expect(new Set(keys.map(({ key }) => key)).size).toBe(100)
})
