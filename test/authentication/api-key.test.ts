import { expect, test } from 'vitest'
import { createApiKeyScheme, newApiKey } from '../../src/authentication/api-key.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { refusal } from './support.ts'

test('createApiKeyScheme returns the principal of a key, always the same object', async () => {
  const [report, backup] = [newApiKey(), newApiKey()]
  const scheme = createApiKeyScheme({
    keys: { report: [report.sha256], backup: [backup.sha256.toUpperCase()] },
  })
  const principal = await scheme.authenticate(report.key)
  expect(principal).toEqual({ issuer: 'apiKey', subject: 'report', claims: {} })
  expect(await scheme.authenticate(report.key)).toBe(principal)
  expect((await scheme.authenticate(backup.key)).subject).toBe('backup')
})

test('createApiKeyScheme accepts each of two keys of a name, so that they can be rotated', async () => {
  const [old, next] = [newApiKey(), newApiKey()]
  const scheme = createApiKeyScheme({ keys: { report: [old.sha256, next.sha256] } })
  expect(await scheme.authenticate(old.key)).toBe(await scheme.authenticate(next.key))
})

test('createApiKeyScheme refuses the configured hash, and everything that resembles a key', async () => {
  const { key, sha256 } = newApiKey()
  const scheme = createApiKeyScheme({ keys: { report: [sha256] } })
  for (const wrong of [
    sha256,
    sha256Hex(sha256),
    key.slice(0, -1),
    `${key}x`,
    key.toUpperCase(),
    'report',
    '',
  ]) {
    const error = await refusal(scheme.authenticate(wrong))
    expect(error.code).toBe('unauthenticated')
    expect(error.message).toBe('the API key is not known')
  }
})

test('createApiKeyScheme accepts nothing if no keys are configured', async () => {
  const scheme = createApiKeyScheme({ keys: {} })
  expect((await refusal(scheme.authenticate(newApiKey().key))).code).toBe('unauthenticated')
})

test('createApiKeyScheme throws if a configured hash is none', () => {
  for (const hash of ['', 'zz', 'a'.repeat(63), 'a'.repeat(65), 'g'.repeat(64)])
    expect(() => createApiKeyScheme({ keys: { report: [hash] } })).toThrow('apiKeys.report')
})

test('newApiKey returns 256 random bits behind a prefix that scanners can find', () => {
  const keys = Array.from({ length: 100 }, newApiKey)
  for (const { key, sha256 } of keys) {
    expect(key).toMatch(/^jeton_[\w-]{43}$/)
    expect(sha256).toBe(sha256Hex(key))
  }
  expect(new Set(keys.map(({ key }) => key)).size).toBe(100)
})
